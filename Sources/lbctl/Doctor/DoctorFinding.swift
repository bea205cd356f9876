// What `lbctl doctor` found: what is so, why it will hurt, and the command that mends it.
import JSON

/// Something that hurts, or may.
struct Finding: Equatable {
    enum Severity: String {
        /// Clients are or will be affected.
        case willHurt
        /// It depends on what happens next, or is untidy.
        case mayHurt
    }

    var severity: Severity
    /// `firewall`, `bridge`, … or the daemon's subject.
    var subject: String
    /// What is so.
    var what: String
    /// Why that matters; nil: `what` says it.
    var why: String?
    /// What mends it; nil: there is no one command.
    var remedy: String?

    var wire: JSONObject {
        var object: JSONObject = [
            "severity": .string(severity.rawValue), "subject": .string(subject), "what": .string(what),
        ]
        if let why { object["why"] = .string(why) }
        if let remedy { object["remedy"] = .string(remedy) }
        return object
    }
}

extension String {
    /// As one word of a shell's command line: a name that somebody else has chosen must not become a command when a remedy is typed.
    var shellWord: String {
        let isPlain =
            !isEmpty
            && unicodeScalars.allSatisfy {
                ("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("0"..."9").contains($0)
                    || "_./:=@%+,-".unicodeScalars.contains($0)
            }
        return isPlain ? self : "'\(replacing("'", with: "'\\''"))'"
    }
}

/// All of it.
struct Diagnosis: Equatable {
    var findings: [Finding]
    /// What could not be looked at, and why.
    var gaps: [String]

    var willHurt: Bool { findings.contains { $0.severity == .willHurt } }

    var wire: JSONObject {
        [
            "findings": .array(findings.map { .object($0.wire) }),
            "notLookedAt": .array(gaps.map { .string($0) }),
        ]
    }
}

extension Screen {
    /// The verdict, what will hurt, what may, and what was not looked at.
    mutating func add(_ diagnosis: Diagnosis) {
        let (will, may) = (diagnosis.findings.count { $0.severity == .willHurt }, diagnosis.findings.count)
        if will > 0 {
            add(Cell("\(will) WILL HURT\(may > will ? ", \(may - will) may" : "")", .bad))
        } else if may > 0 {
            add(Cell("\(may) may hurt", .warning))
        } else {
            add(Cell("Nothing found that would hurt", diagnosis.gaps.isEmpty ? .good : .warning))
        }
        for (severity, title, tone) in [
            (Finding.Severity.willHurt, "WILL HURT", Tone.bad), (.mayHurt, "MAY HURT", .warning),
        ] {
            let group = diagnosis.findings.filter { $0.severity == severity }
            guard !group.isEmpty else { continue }
            heading(title, tone)
            for finding in group {
                add("  ", Cell(finding.subject, .strong), ": ", Cell(finding.what, tone))
                if let why = finding.why { add("    ", Cell(why), hanging: 4) }
                if let remedy = finding.remedy { add("    -> ", Cell(remedy), hanging: 7) }
            }
        }
        guard !diagnosis.gaps.isEmpty else { return }
        heading("NOT LOOKED AT", .warning)
        for gap in diagnosis.gaps { add("  ", Cell(gap), hanging: 2) }
    }
}
