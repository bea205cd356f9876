// evenkeel.conf(5): the keyword table.
import Configuration

extension ManualPage {
    /// All words, by block.
    static func configuration() -> ManualPage {
        var page = ManualPage(
            "evenkeel.conf", section: 5, summary: "configuration of Evenkeel, in the words of keepalived.conf")
        page.heading("Synopsis")
        page.prose(
            """
            /etc/evenkeel/evenkeel.conf, else /etc/keepalived/keepalived.conf
            /etc/evenkeel/NAME.conf for evenkeel@NAME.target
            """)
        page.heading("Description")
        page.prose(
            """
            The language is that of keepalived.conf(5), read strictly: an unknown word, a bad number or an unclosed block is an error with file, line and column, and \
            a refused file changes nothing in daemons that run.

            lbctl config check reads a file as the daemons would and says everything that is wrong with it; lbctl config show says which value counts for every word, and \
            where it comes from; lbctl config explain WORD prints what stands here about one word.

            What is read differently than by keepalived is in /usr/share/doc/evenkeel/MIGRATION.md.
            """)
        var block: String?
        for entry in KeywordTable.entries {
            if entry.heading != block {
                page.heading(entry.heading)
                block = entry.heading
            }
            page.item(entry.word, entry.value, entry.account)
        }
        page.heading("Files")
        page.prose("/etc/evenkeel/evenkeel.conf, /etc/keepalived/keepalived.conf, /etc/iproute2/rt_tables")
        page.heading("See also")
        page.prose("lbctl(1), vrrpd(8), ipvsd(8), checkd(8), scriptd(8), busd(8)")
        return page
    }
}

extension KeywordTable.Entry {
    /// What it means, its default and range, and what there is to say about it.
    fileprivate var account: String {
        let remark: String? =
            switch support {
            case .supported: nil
            case .addition: "keepalived does not know it."
            case .notYet: "Read and checked, but does nothing yet."
            case .unneeded(let reason): "It has no effect: \(reason)."
            case .deprecated(let current): "An old spelling of \(current)."
            }
        return ([meaning.sentence, standard.isEmpty ? nil : "Default: \(defaultText)."] + [remark])
            .compactMap(\.self).joined(separator: " ")
    }
}

extension String {
    /// With a capital letter and a full stop; words of the language stay as they are written.
    fileprivate var sentence: String {
        let first = prefix { $0.isLetter }
        let isWord = first.allSatisfy(\.isLowercase) && (dropFirst(first.count).first ?? " ") != "_"
        return (isWord ? prefix(1).uppercased() + dropFirst() : self) + (hasSuffix(".") ? "" : ".")
    }
}
