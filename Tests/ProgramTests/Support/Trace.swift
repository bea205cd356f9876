// A recorded run as lines that can be compared: what a router said from one event to the next, of each virtual router and each address. Equal
// packets in a row are one line with their interval; equal announcements of an address are one line with their number, first and last.

import Net

/// What a router did.
struct Trace {
    /// Something of one kind.
    struct Line {
        let text: String
        /// After the event; nil where it is only going on.
        let at: Duration?
        /// The last announcement.
        var last: Duration?
        /// Between the packets; nil where there are too few to tell.
        let interval: Duration?
        /// So few packets of what is going on that the other program may have one less: then it has no line.
        var isChance = false
    }

    /// From an event to the next.
    struct Phase {
        let event: String
        var lines: [Line] = []
    }

    var phases: [Phase] = []

    /// `events`: when each phase began; `known`: more lines for each phase, of which no time is known.
    init(_ sightings: [Sighting], events: [(at: Instant, name: String)], known: [[String]]) {
        var last: [Sighting.Subject: String] = [:]
        for (index, event) in events.enumerated() {
            let end = index + 1 < events.count ? events[index + 1].at : Instant.distantFuture
            let inside = sightings.filter { $0.at >= event.at && $0.at < end }
            var phase = Phase(event: event.name)
            var order: [Sighting.Subject] = []
            for sighting in inside where !order.contains(sighting.subject) { order.append(sighting.subject) }
            let newcomers = order.filter { if case .announcement = $0 { true } else { last[$0] == nil } }
            // Of several routers nobody says which is first.
            let routers = newcomers.count { if case .advertisement = $0 { true } else { false } }
            if newcomers.count > 1, routers < 2 {
                let text = "order: " + newcomers.map(\.description).joined(separator: ", ")
                phase.lines.append(Line(text: text, at: nil, interval: nil))
            }
            for subject in order.sorted(by: { $0.description < $1.description }) {
                let own = inside.filter { $0.subject == subject }
                switch subject {
                case .advertisement:
                    for run in Self.runs(own) {
                        let continues = run[0].text == last[subject]
                        let resigned = run[0].priority == 0
                        last[subject] = resigned ? nil : run[0].text
                        // One more or less of the same depends on the moment of the event.
                        if continues, run.count < 2 { continue }
                        let gaps = zip(run, run.dropFirst()).map { $1.at - $0.at }.sorted()
                        let more = continues ? ", going on" : resigned ? " ×\(run.count)" : ""
                        phase.lines.append(
                            Line(
                                text: "\(subject.description): \(run[0].text)\(more)",
                                at: continues ? nil : run[0].at - event.at,
                                interval: gaps.count < 3 ? nil : gaps[gaps.count / 2],
                                isChance: continues && run.count < 3))
                    }
                case .announcement:
                    for run in Dictionary(grouping: own, by: \.text).values {
                        phase.lines.append(
                            Line(
                                text: "\(subject.description): \(run[0].text) ×\(run.count)", at: run[0].at - event.at,
                                last: run[run.count - 1].at - event.at, interval: nil))
                    }
                }
            }
            if index < known.count {
                phase.lines += known[index].map { Line(text: $0, at: nil, interval: nil) }
            }
            phases.append(phase)
        }
    }

    private static func runs(_ all: [Sighting]) -> [[Sighting]] {
        var runs: [[Sighting]] = []
        for sighting in all {
            if runs.last?.last?.text == sighting.text {
                runs[runs.count - 1].append(sighting)
            } else {
                runs.append([sighting])
            }
        }
        return runs
    }

    /// Where two runs differ, in lines like `EVENT: − what only the second did`. `tolerance`: of times.
    func differences(from other: Trace, tolerance: Duration) -> [String] {
        guard phases.map(\.event) == other.phases.map(\.event) else { return ["other events"] }
        var result: [String] = []
        for (own, theirs) in zip(phases, other.phases) {
            var rest = theirs.lines
            for line in own.lines {
                guard let place = rest.firstIndex(where: { $0.text == line.text }) else {
                    if !line.isChance { result.append("\(own.event): + \(line.text)") }
                    continue
                }
                let match = rest.remove(at: place)
                for (at, reference) in [(line.at, match.at), (line.last, match.last)] {
                    guard let at, let reference, abs(at - reference) > tolerance else { continue }
                    result.append("\(own.event): ! \(line.text): at \(at), keepalived at \(reference)")
                }
                if let interval = line.interval, let reference = match.interval,
                    abs(interval - reference) > .milliseconds(30) + reference / 5
                {
                    result.append("\(own.event): ! \(line.text): every \(interval), keepalived every \(reference)")
                }
            }
            result += rest.filter { !$0.isChance }.map { "\(own.event): − \($0.text)" }
        }
        return result
    }

    var description: String {
        phases.flatMap { phase in
            ["── \(phase.event)"]
                + phase.lines.map { line in
                    let at = line.at.map { "\($0) " } ?? ""
                    return "   \(at)\(line.text)\(line.interval.map { " every \($0)" } ?? "")"
                }
        }.joined(separator: "\n")
    }
}

private func abs(_ duration: Duration) -> Duration { duration < .zero ? .zero - duration : duration }
