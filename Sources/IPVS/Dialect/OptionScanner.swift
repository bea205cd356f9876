// A command line cut into options the way popt 1.19 does it for ipvsadm: long names in full (popt has no abbreviations), clustered short
// ones, `--name=value`, `-nvalue`, `-n=value`, options and other words in any order, `--` before words only.

internal import Configuration

/// What an option of the command line stands for.
enum ScannedWord: Equatable, Sendable {
    case command(CommandName)
    case help, version
    /// `-t`, `-u`, `--sctp-service`.
    case service(IPTransport)
    case mark
    case forwarding(ForwardingName)
    case sort, ipv6
    case option(OptionName)

    /// The word's argument.
    enum Argument: Equatable, Sendable { case none, optional, required }

    /// `-m`, `-i`, `-g`.
    enum ForwardingName: Equatable, Sendable { case masquerading, tunneling, gatewaying }
}

/// Cuts one command line into options; other words are set aside.
struct OptionScanner {
    /// Why a command line cannot be read.
    enum Problem: String, Error {
        case unknown = "unknown option"
        case missingArgument = "missing argument"
        case unwantedArgument = "option does not take an argument"
    }

    private let arguments: [String]
    private var position = 0
    /// What is left of clustered short options.
    private var cluster: ArraySlice<UInt8> = []
    private var onlyWordsFollow = false
    /// Words that are no options, in order.
    private(set) var words: [String] = []

    /// Starts at the first of `arguments`, which do not have the program's name.
    init(_ arguments: [String]) { self.arguments = arguments }

    /// The argument that was read last: what a message about an option names.
    var latest: String { position > 0 ? arguments[position - 1] : "" }

    /// The next option and its argument; nil at the end.
    mutating func next() throws(Problem) -> (word: ScannedWord, argument: String?)? {
        while cluster.isEmpty {
            guard position < arguments.count else { return nil }
            let text = arguments[position]
            position += 1
            let octets = text.utf8
            if onlyWordsFollow || octets.first != Self.dash || octets.count == 1 {
                words.append(text)
            } else if octets.dropFirst().first != Self.dash {
                if octets.count == 2, let letter = octets.last { return try short(letter) }
                cluster = Array(octets)[1...]
            } else if octets.count == 2 {
                onlyWordsFollow = true
            } else {
                return try long(text.dropFirst(2))
            }
        }
        guard let letter = cluster.popFirst() else { return nil }
        return try short(letter)
    }

    private static let dash = UInt8(ascii: "-")

    private mutating func long(_ text: Substring) throws(Problem) -> (ScannedWord, String?) {
        let equals = text.firstIndex(of: "=")
        guard let entry = Self.words[String(text[..<(equals ?? text.endIndex)])] else { throw .unknown }
        return (
            entry.word, try argument(entry.argument, attached: equals.map { String(text[text.index(after: $0)...]) })
        )
    }

    private mutating func short(_ letter: UInt8) throws(Problem) -> (ScannedWord, String?) {
        guard let entry = Self.letters[Int(letter)] else { throw .unknown }
        let hasEquals = cluster.first == UInt8(ascii: "=")
        var attached: String?
        if entry.argument == .none {
            if hasEquals { throw .unwantedArgument }
        } else if !cluster.isEmpty {
            attached = String(decoding: hasEquals ? cluster.dropFirst() : cluster, as: UTF8.self)
            cluster = []
        }
        return (entry.word, try argument(entry.argument, attached: attached))
    }

    private mutating func argument(_ kind: ScannedWord.Argument, attached: String?) throws(Problem) -> String? {
        switch kind {
        case .none:
            guard attached == nil else { throw .unwantedArgument }
            return nil
        case .required, .optional:
            if let attached { return attached }
            guard position < arguments.count else {
                guard kind == .optional else { throw .missingArgument }
                return nil
            }
            if kind == .optional, arguments[position].utf8.first == Self.dash { return nil }
            position += 1
            return arguments[position - 1]
        }
    }
}

extension OptionScanner {
    private typealias Entry = (word: ScannedWord, argument: ScannedWord.Argument)

    /// By long name.
    private static let words: [String: Entry] = Dictionary(
        table.map { ($0.name, ($0.word, $0.argument)) }, uniquingKeysWith: { first, _ in first })
    /// By letter.
    private static let letters: [Entry?] = {
        var letters = [Entry?](repeating: nil, count: 256)
        for row in table.reversed() {
            if let letter = row.letter { letters[Int(letter)] = (row.word, row.argument) }
        }
        return letters
    }()

    private struct Row: Sendable {
        var name: String
        var letter: UInt8?
        var argument: ScannedWord.Argument
        var word: ScannedWord

        init(_ name: String, _ letter: Character?, _ word: ScannedWord, _ argument: ScannedWord.Argument = .none) {
            self.name = name
            self.letter = letter?.asciiValue
            self.argument = argument
            self.word = word
        }
    }

    private static let table: [Row] = [
        Row("add-service", "A", .command(.addService)),
        Row("edit-service", "E", .command(.editService)),
        Row("delete-service", "D", .command(.deleteService)),
        Row("clear", "C", .command(.flush)),
        Row("list", "L", .command(.list)),
        Row("list", "l", .command(.list)),
        Row("zero", "Z", .command(.zero)),
        Row("add-server", "a", .command(.addServer)),
        Row("edit-server", "e", .command(.editServer)),
        Row("delete-server", "d", .command(.deleteServer)),
        Row("set", nil, .command(.set)),
        Row("help", "h", .help),
        Row("version", "v", .version),
        Row("restore", "R", .command(.restore)),
        Row("save", "S", .command(.save)),
        Row("start-daemon", nil, .command(.startDaemon), .required),
        Row("stop-daemon", nil, .command(.stopDaemon), .required),
        Row("tcp-service", "t", .service(.tcp), .required),
        Row("udp-service", "u", .service(.udp), .required),
        Row("sctp-service", nil, .service(.sctp), .required),
        Row("fwmark-service", "f", .mark, .required),
        Row("scheduler", "s", .option(.scheduler), .required),
        Row("persistent", "p", .option(.persistent), .optional),
        Row("netmask", "M", .option(.netmask), .required),
        Row("real-server", "r", .option(.server), .required),
        Row("masquerading", "m", .forwarding(.masquerading)),
        Row("ipip", "i", .forwarding(.tunneling)),
        Row("gatewaying", "g", .forwarding(.gatewaying)),
        Row("weight", "w", .option(.weight), .required),
        Row("u-threshold", "x", .option(.upperThreshold), .required),
        Row("l-threshold", "y", .option(.lowerThreshold), .required),
        Row("numeric", "n", .option(.numeric)),
        Row("connection", "c", .option(.connection)),
        Row("mcast-interface", nil, .option(.multicastInterface), .required),
        Row("syncid", nil, .option(.syncID), .required),
        Row("timeout", nil, .option(.timeout)),
        Row("daemon", nil, .option(.daemon)),
        Row("stats", nil, .option(.stats)),
        Row("rate", nil, .option(.rate)),
        Row("thresholds", nil, .option(.thresholds)),
        Row("persistent-conn", nil, .option(.persistentConnections)),
        Row("nosort", nil, .option(.noSort)),
        Row("sort", nil, .sort),
        Row("exact", "X", .option(.exact)),
        Row("ipv6", "6", .ipv6),
        Row("ops", "o", .option(.onePacket)),
        Row("pe", nil, .option(.engine), .required),
        Row("sched-flags", "b", .option(.schedulerFlags), .required),
        Row("mcast-group", nil, .option(.multicastGroup), .required),
        Row("mcast-port", nil, .option(.multicastPort), .required),
        Row("mcast-ttl", nil, .option(.multicastTTL), .required),
        Row("sync-maxlen", nil, .option(.maximumLength), .required),
        Row("tun-info", nil, .option(.tunnelInformation)),
        Row("tun-type", nil, .option(.tunnelType), .required),
        Row("tun-port", nil, .option(.tunnelPort), .required),
        Row("tun-nocsum", nil, .option(.tunnelNoChecksum)),
        Row("tun-csum", nil, .option(.tunnelChecksum)),
        Row("tun-remcsum", nil, .option(.tunnelRemoteChecksum)),
    ]
}
