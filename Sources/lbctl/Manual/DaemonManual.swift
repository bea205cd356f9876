// vrrpd(8) and the other daemons: what their --help prints.

extension ManualPage {
    /// From the whole text of `NAME --help`: "NAME: summary", what it does, "Usage: NAME [options]" with a line for each option, and other parts.
    /// Nil: it is no such text.
    init?(daemon name: String, help: String) {
        guard help.hasPrefix("\(name): ") else { return nil }
        let lines = help.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        self.init(name, section: 8, summary: String(lines[0].dropFirst(name.count + 2)))
        let (beginning, sections) = Self.parts(of: lines.count > 1 ? String(lines[1]) : "")
        for (title, text) in sections where title == "Usage" {
            heading("Synopsis")
            prose(String(text.prefix { $0 != "\n" }))
        }
        heading("Description")
        prose(beginning)
        for (title, text) in sections {
            if title == "Usage" {
                heading("Options")
                for option in Self.options(of: text) { item(option.words, option.value, option.text) }
            } else {
                heading(title)
                prose(text)
            }
        }
        heading("See also")
        prose(
            "lbctl(1), evenkeel.conf(5), /usr/share/doc/evenkeel/\(name).md, /usr/share/doc/evenkeel/ARCHITECTURE.md")
    }

    /// Lines that begin with an option; what is indented further goes on.
    private static func options(of text: String) -> [(words: String, value: String, text: String)] {
        var options: [(words: String, value: String, text: String)] = []
        for line in text.split(separator: "\n").dropFirst() {
            if line.hasPrefix("  -"), let column = line.firstRange(of: "   ", after: 3) {
                let words = line[..<column].split(separator: " ")
                let description = line[column...].drop { $0 == " " }
                options.append(
                    (String(words[0]), words.dropFirst().joined(separator: " "), String(description)))
            } else if line.hasPrefix("  "), !options.isEmpty {
                options[options.count - 1].text += " " + line.drop { $0 == " " }
            }
        }
        return options
    }
}

extension Substring {
    /// Where `part` begins for the first time behind some characters.
    fileprivate func firstRange(of part: String, after count: Int) -> Index? {
        dropFirst(count).firstRange(of: part)?.lowerBound
    }
}
