// One command line of ipvsadm 1.31, read in its order: an option's value is judged when it comes, then the words left over, the scheduler's
// flags, the combination of options, and last what they mean together. The first thing that is wrong is what is said.

internal import Configuration
internal import Net

/// Reads command lines.
public struct DialectParser<Names: NameResolver> {
    private let names: Names

    /// A parser that asks `names` for hosts and services.
    public init(_ names: Names) { self.names = names }

    /// Reads one command line without the program's name. Without any argument ipvsadm lists the table.
    public func parse(_ arguments: [String]) throws(DialectError) -> DialectCommand {
        guard !arguments.isEmpty else { return .list(.table, []) }
        var scanner = OptionScanner(arguments)
        var draft: DialectDraft
        switch try? scanner.next() {
        case (.command(let name), let argument)?: draft = try DialectDraft(name, argument)
        case (.help, _)?: return .help
        case (.version, _)?: return .version
        case (.service, _)?, (.mark, _)?, (.forwarding, _)?, (.sort, _)?, (.ipv6, _)?, (.option, _)?, nil:
            throw .tryHelp
        }
        while let (word, argument) = try next(of: &scanner) {
            try take(word, argument, into: &draft, latest: scanner.latest)
        }
        return try finished(&draft, words: scanner.words)
    }

    private func next(of scanner: inout OptionScanner) throws(DialectError) -> (ScannedWord, String?)? {
        do throws(OptionScanner.Problem) {
            return try scanner.next().map { ($0.word, $0.argument) }
        } catch {
            throw .options("\(scanner.latest): \(error.rawValue)")
        }
    }

    private func take(
        _ word: ScannedWord, _ argument: String?, into draft: inout DialectDraft, latest: String
    ) throws(DialectError) {
        let text = argument ?? ""
        switch word {
        case .command, .help, .version: throw .usage("invalid option `\(latest)'")
        case .sort: break
        case .ipv6:
            guard draft.mark != nil else { throw .usage("-6 used before -f\n") }
            draft.family = .inet6
            draft.netmask = AddressFamily.inet6.hostNetmask
        case .service(let transport):
            try draft.set(.service)
            draft.transport = transport
            guard let endpoint = DialectValues.endpoint(text, transport, names) else {
                throw .usage("illegal virtual server address[:port] specified")
            }
            draft.address = endpoint.address
            draft.port = endpoint.port ?? 0
            draft.family = endpoint.address.family
            if draft.family == .inet6 { draft.netmask = AddressFamily.inet6.hostNetmask }
        case .mark:
            try draft.set(.service)
            guard let mark = DialectValues.number(text, in: 1...Int(UInt32.max)) else {
                throw .usage("invalid fwmark value `\(text)' specified")
            }
            draft.family = .inet
            draft.transport = .tcp
            draft.mark = UInt32(mark)
        case .forwarding(let forwarding):
            try draft.set(.forwarding)
            draft.forwarding = forwarding
        case .option(.server):
            try draft.set(.server)
            guard let endpoint = DialectValues.endpoint(text, draft.transport, names) else {
                throw .usage("illegal real server address[:port] specified")
            }
            draft.server = Endpoint(endpoint.address, port: endpoint.port ?? draft.port)
        case .option(.netmask):
            try draft.set(.netmask)
            try takeNetmask(text, into: &draft)
        case .option(let option):
            try draft.take(option, argument)
        }
    }

    private func takeNetmask(_ text: String, into draft: inout DialectDraft) throws(DialectError) {
        switch draft.family {
        case .inet6:
            let length = DialectValues.leading(text)
            guard (1...128).contains(length) else { throw .usage("illegal ipv6 netmask specified") }
            draft.netmask = UInt32(length)
        case .inet, nil:
            guard let mask = DialectValues.address(text) ?? names.address(ofHost: text) else {
                throw .usage("illegal virtual server persistent mask specified")
            }
            draft.netmask = mask.rawValue
        }
    }

    /// What is left when all options are read.
    private func finished(_ draft: inout DialectDraft, words: [String]) throws(DialectError) -> DialectCommand {
        var words = words[...]
        if draft.command == .set {
            guard let tcp = words.popFirst(), let tcpFin = words.popFirst(), let udp = words.popFirst() else {
                throw .usage("--set option requires 3 timeout values")
            }
            draft.timeouts = TableTimeouts(
                tcp: try DialectDraft.timeout(tcp, from: 0), tcpFin: try DialectDraft.timeout(tcpFin, from: 0),
                udp: try DialectDraft.timeout(udp, from: 0))
        }
        if let word = words.first { throw .usage("unexpected argument \(word)") }
        if let text = draft.schedulerFlags {
            draft.flags |= try DialectValues.schedulerFlags(text, of: draft.scheduler)
        }
        try draft.command.rule.check(draft.given, of: "'\(draft.command.rawValue)' command")
        return try draft.finished()
    }
}
