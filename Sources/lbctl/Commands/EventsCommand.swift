// `lbctl events`: the stream of events, one line each, flushed as it comes.
import ArgumentParser
import Bus
import Configuration
import JSON
import Varlink

struct EventsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Follow what happens: first the latest event of every subject, then every change.",
        discussion: """
            Types may be shortened (vrrp.instance for io.evenkeel.vrrp.instance) and may end in *. There are: \
            \(types.joined(separator: ", ")). Without --type the signs of life (\(heartbeats)) are left out. With --json \
            each line is one reply of io.evenkeel.Bus.Subscribe; after the latest events comes {"snapshotComplete":true,…}.

            Examples:
              lbctl events
              lbctl events --type vrrp.instance --subject VI_1
              lbctl events --type check.server --changes --count 1     wait for one
              lbctl events --json | \\
                  jq --unbuffered -c '.event | select(.) | [.type, .subject]'
            """)

    @Option(
        parsing: .singleValue, help: ArgumentHelp("Only this type; may be given again.", valueName: "type"),
        completion: .list(EventsCommand.types))
    var type: [String] = []

    @Option(parsing: .singleValue, help: ArgumentHelp("Only this subject; may be given again.", valueName: "subject"))
    var subject: [String] = []

    @Option(help: ArgumentHelp("End after so many events.", valueName: "n"))
    var count: Int?

    @Flag(help: "Leave out the latest events; wait for changes.")
    var changes = false

    @OptionGroup var bus: BusOptions
    @OptionGroup var output: OutputOptions

    /// The types of the suite that are on the bus, short. Webhooks alone are told alerts.
    static let types = Interfaces.events.filter { $0 != EventType.alert }
        .map { String($0.trimmingPrefix("io.evenkeel.")) }

    /// Signs of life, which come every few seconds and say nothing new.
    private static let heartbeats = types.filter(isHeartbeat).joined(separator: ", ")

    private static func isHeartbeat(_ type: String) -> Bool { type.hasSuffix(".heartbeat") }

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count takes a number from 1.") }
        if bus.direct { throw ValidationError("Events come from busd; --direct cannot get them.") }
    }

    func run() throws {
        ReaderWatch.start()
        try follow(bus.link, print: StandardOutput.line, note: StandardError.say)
    }

    /// Subscribes and gives each line to `print` until it is enough or the bus ends it; what a person who waits should know
    /// goes to `note`.
    func follow(_ caller: some Daemons, print: (String) -> Void, note: (String) -> Void) throws(Failure) {
        for type in type {
            if let text = Self.refusal(of: type) { throw .usage(text) }
            if let text = Self.unknown(type) { note(text) }
        }
        let subscription = BusAPI.Subscribe(
            types: type.isEmpty ? nil : type.map(Self.fullType), subjects: subject.isEmpty ? nil : subject,
            retained: changes ? false : nil)
        var left = count ?? .max
        var hasLeftOut = false
        let patience = Patience.firstReply(caller.timeout)
        try caller.send(subscription.call(more: true), to: nil, patience) { parameters throws(Failure) in
            if type.isEmpty, let type = parameters["event"]?["type"]?.string, Self.isHeartbeat(type) {
                // Whoever counts or stores the lines should know that some are missing.
                if output.json, !hasLeftOut {
                    note("signs of life (\(Self.heartbeats)) are left out; --type '*' has them")
                }
                hasLeftOut = true
                return .more
            }
            if output.json {
                print(JSONText.line(.object(parameters)))
            } else if let event = try Answer<BusAPI.Subscribe>(parameters: parameters).decoded().event {
                print(Screen.current().line(event))
            }
            if parameters["event"]?.object != nil { left -= 1 }
            if parameters["snapshotComplete"]?.bool == true, left == count ?? .max, !changes {
                note("nothing of that kind now; waiting for it to happen (Ctrl-C ends)")
            }
            return left > 0 ? .more : .enough
        }
        if left > 0, count != nil { throw .disconnected(method: BusAPI.Subscribe.method, by: .busd) }
    }

    /// What to say about a type that no daemon of this version publishes; nil when there is one.
    static func unknown(_ type: String) -> String? {
        let wanted = fullType(type)
        let known = types.map { "io.evenkeel.\($0)" }
        let isKnown =
            wanted.hasSuffix("*") ? known.contains { $0.hasPrefix(wanted.dropLast()) } : known.contains(wanted)
        guard !isKnown else { return nil }
        let meant = closest(to: type, in: types + known).map { "did you mean '\($0)'? There are" } ?? "there are"
        return "no daemon of this version publishes events of type '\(type.printable)'; \(meant) "
            + types.joined(separator: ", ")
    }

    /// Why nothing can come of a type: it is none of the suite's, and no name of somebody else's, who publish under a domain name of theirs, as
    /// org.example.thing. Nil when something can.
    static func refusal(of type: String) -> String? {
        guard type.contains("io.evenkeel.") || type.count(where: { $0 == "." }) < 2 else { return nil }
        return unknown(type)
    }

    /// `vrrp.instance` and `vrrp*` with the suite's prefix; other names as they are.
    static func fullType(_ type: String) -> String {
        let families = Set(types.map { $0.prefix { $0 != "." } })
        let family = type.prefix { $0 != "." && $0 != "*" }
        return families.contains(family) ? "io.evenkeel.\(type)" : type
    }
}
