// What is said about interfaces: `track_interface` and `interface_up_down_delays`.
import Net

/// A line of `interface_up_down_delays`, as it stands.
struct LinkDelayDraft: Sendable {
    var word: Word
    var delays: LinkDelays
}

extension Interpreter {
    /// The lines of `interface_up_down_delays`: `IF DOWN [UP]`. Without UP a link that is back counts at once: so does keepalived's source,
    /// its manual says otherwise.
    mutating func linkDelays(_ statement: Statement) -> [LinkDelayDraft] {
        listLines(statement).compactMap { words in
            noteInterface(words[0])
            ignoreExtra(words.dropFirst(3), statement)
            guard words.count > 1 else {
                reporter.error(
                    .missingValue, at: words[0], "\(words[0].text) has no delay",
                    remedy: "write \(words[0].text) DOWN [UP]")
                return nil
            }
            let delays = words.dropFirst().prefix(2).map { seconds($0, 0...255, of: "a delay") }
            guard let down = delays[0] else { return nil }
            return LinkDelayDraft(
                word: words[0], delays: LinkDelays(down: down, up: delays.count > 1 ? delays[1] ?? .zero : .zero))
        }
    }

    /// A down delay must end before the backups of the interface's instances take over: keepalived bounds it to one advertisement less
    /// than they wait.
    mutating func resolveLinkDelays(_ drafts: [LinkDelayDraft], _ configuration: inout Configuration) {
        let instances = Dictionary(grouping: configuration.instances, by: \.interface)
        for draft in drafts {
            let name = draft.word.text
            var delays = draft.delays
            for instance in instances[name] ?? [] {
                let limit = instance.advertInterval * max(1, instance.downTimerAdverts - 1)
                guard delays.down > limit else { continue }
                delays.down = limit
                reporter.warning(
                    .adjusted, at: draft.word,
                    "a down delay of more than \(secondsText(limit)) s would make two masters of \(instance.name); \(secondsText(limit)) s is used",
                    remedy: "write a shorter one")
            }
            if configuration.linkDelays.updateValue(delays, forKey: name) != nil {
                reporter.warning(.duplicateKeyword, at: draft.word, "\(name) has two delays; the last line counts")
            }
        }
    }

    /// Tracked interfaces need no block; their default weight is 0. The instance's own interface is tracked anyway: a line for it counts
    /// nothing, as in keepalived.
    mutating func resolveInterfaces(_ drafts: [TrackDraft], own interface: String? = nil) -> [TrackedObject] {
        let known = Dictionary(drafts.map { ($0.word.text, (0, false)) }, uniquingKeysWith: { first, _ in first })
        for draft in drafts where draft.word.text == interface && draft.weight ?? 0 != 0 {
            reporter.warning(
                .adjusted, at: draft.word,
                "\(draft.word.text) is the instance's own interface, whose loss is FAULT; the line is ignored",
                remedy: "remove the line")
        }
        return resolveTracked(drafts.filter { $0.word.text != interface }, of: "interface", known: known)
    }
}
