// `lbctl top`: how much goes through which service and server, again and again.
import ArgumentParser
import Bus
import Net
import Platform

struct TopCommand: BusCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "What goes through services and servers now, and in the last minutes; the busiest first.",
        discussion: """
            On a terminal it goes on until q is pressed; otherwise, and with --once or --json, it looks once, and the rates are \
            the kernel's estimates of the last ten seconds. "LAST 5 MIN" and "PEAK IN" are packets from clients; what comes back \
            is counted with NAT alone, since other answers do not pass here.

            Examples:
              lbctl top
              lbctl top tcp/192.168.200.254:80
              lbctl top --once
              lbctl top --json | \\
                  jq -r '.histories[]? | [.name, .samples[-1].connections] | @tsv'
            """)

    @Argument(help: "Only this service: tcp/ADDR:PORT, fwmark/N/inet, or ADDR[:PORT].", completion: .services)
    var service: String?

    @Flag(help: "Look once.")
    var once = false

    @Option(help: ArgumentHelp("Look so often.", valueName: "seconds"))
    var interval = 2.0

    @OptionGroup var bus: BusOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...3600).contains(interval) else {
            throw ValidationError("--interval takes seconds, from 1 to 3600.")
        }
    }

    func answer(from daemons: some Daemons) throws(Failure) -> Shown {
        let name = try fullName(daemons)
        let reading = try TrafficReading(of: name, daemons)
        let past = try TrafficPast(of: name, daemons)
        return Shown(wire: reading.wire + past.wire) { $0.add([ServiceTraffic](reading, since: nil, past)) }
    }

    func run() throws {
        if !once, !output.json {
            let link = bus.link
            let watch = TrafficWatch(of: try fullName(link), every: .seconds(interval), link)
            if let screen = try LiveScreen(frame: watch.frame, pause: { watch.pause }) {
                // What cannot be shown at all is said where it can be read.
                try watch.look()
                return try screen.run()
            }
        }
        try StandardOutput.show(answer(from: bus.link), json: output.json)
    }

    private func fullName(_ daemons: some Daemons) throws(Failure) -> String? {
        guard let service else { return nil }
        return try Naming.service(service, in: daemons)
    }
}

/// Looks again and again. ipvsd is never kept busy by it: what takes long to answer is asked less often.
final class TrafficWatch<Source: Daemons> {
    /// ipvsd may spend so much of its time on the answers.
    private static var share: Int { 10 }

    private let service: String?
    private let interval: Duration
    private let daemons: Source
    private let clock: () -> Instant
    private var before: TrafficReading?
    private var latest: TrafficReading?
    private var past = TrafficPast()
    private var pastIsOld = Instant.zero
    private var failure: Failure?
    /// From when the next look may be.
    private var next = Instant.zero

    /// Of all services, or of the one of this full name.
    init(
        of service: String?, every interval: Duration, _ daemons: Source,
        clock: @escaping () -> Instant = { SystemClock.now }
    ) {
        (self.service, self.interval, self.daemons, self.clock) = (service, interval, daemons, clock)
    }

    /// Asks ipvsd. What it said before stays when it does not answer.
    func look() throws(Failure) {
        let start = clock()
        defer {
            let end = clock()
            next = max(start + interval, end + (end - start) * Self.share)
        }
        let reading = try TrafficReading(of: service, daemons, at: clock)
        if start >= pastIsOld {
            past = try TrafficPast(of: service, daemons)
            pastIsOld = start + .seconds(10)
        }
        (before, latest) = (latest, reading)
    }

    /// How long nothing is to be done.
    var pause: Duration { max(next - clock(), .milliseconds(100)) }

    /// What a terminal of this size shows now.
    func frame(columns: Int, lines: Int) -> [String] {
        if clock() >= next {
            do throws(Failure) {
                failure = nil
                try look()
            } catch {
                failure = error
            }
        }
        var screen = Screen(style: .detect(), now: .now, width: columns)
        guard let latest else { return [] }
        let note = failure.map { failure in
            let age = Int((clock() - latest.taken).seconds)
            return Cell("as it was \(age) s ago; \(failure)", .bad)
        }
        screen.add(
            [ServiceTraffic](latest, since: before, past), height: lines,
            note: note ?? Cell("every \(interval.seconds.formatted) s, the busiest first; q ends", .faint))
        return screen.lines
    }
}
