// One run of ipvsadm: a command line, or with -R as many as standard input has. Changes of a restore are gathered and sent together as long
// as nothing has to be said in between, so that thousands of rules are few system calls; what comes out is what one after the other gives.
import Glibc
import IPVS

struct DialectRun<Table: TableAccess, Names: NameResolver> {
    /// A run that is over before its end: its exit status.
    private struct Ended: Error { var status: Int32 }

    /// ipvsadm returns -1 from main.
    private static var refused: Int32 { 255 }
    /// Changes that are sent together at most.
    private static var batch: Int { 4096 }

    /// The name that messages give the program.
    let program: String
    let table: Table
    let names: Names
    let print: (String) -> Void
    let complain: (String) -> Void

    private var pending: [TableRequest] = []
    private var status: Int32 = 0

    init(
        program: String, table: Table, names: Names, print: @escaping (String) -> Void,
        complain: @escaping (String) -> Void
    ) {
        self.program = program
        self.table = table
        self.names = names
        self.print = print
        self.complain = complain
    }

    /// Carries out a command line without the program's name; the exit status.
    mutating func run(_ arguments: [String]) -> Int32 {
        do throws(Ended) {
            try carryOut(arguments, isRestoring: false)
            try flush()
            return status
        } catch {
            return error.status
        }
    }

    private mutating func carryOut(_ arguments: [String], isRestoring: Bool) throws(Ended) {
        let command: DialectCommand
        do throws(DialectError) {
            command = try DialectParser(names).parse(arguments)
        } catch {
            try flush()
            switch error {
            case .usage(let text): throw end("\(text)\n", 2)
            case .tryHelp: throw end(DialectText.tryHelp(program), Self.refused)
            case .options(let text): complain("\(text)\n")
            }
            status = Self.refused
            return
        }
        switch command {
        case .change(let request):
            pending.append(request)
            if pending.count >= Self.batch { try flush() }
            return
        case .restore where !isRestoring:
            try restore()
            return
        case .restore, .list, .save, .help, .version: try flush()
        }
        switch command {
        case .change: break
        case .restore: throw end(DialectText.tryHelp(program), Self.refused)
        case .list(let listing, let format): try list(listing, format)
        case .save(let format):
            let whole = try read { (table) throws(TableFailure) in try table.table() }
            print(TableListing(names, format).rules(whole.services))
        case .help:
            print(DialectText.help(program))
            throw Ended(status: 0)
        case .version:
            print(DialectText.version)
            throw Ended(status: 0)
        }
        status = 0
    }

    /// What the input has is done when it comes: whoever types rules sees them act.
    private mutating func restore() throws(Ended) {
        var lines = RestoreLines()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        status = 0
        while true {
            let count = Glibc.read(STDIN_FILENO, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            for line in lines.add(buffer[..<count]) { try carryOut(line, isRestoring: true) }
            try flush()
        }
        if let line = lines.end() { try carryOut(line, isRestoring: true) }
        try flush()
    }

    /// Sends what is gathered. The exit status is that of the last request.
    private mutating func flush() throws(Ended) {
        guard !pending.isEmpty else { return }
        let requests = pending
        pending = []
        let refusals = try read { (table) throws(TableFailure) in try table.execute(requests) }
        for refusal in refusals where requests.indices.contains(refusal.index) {
            complain("\(refusal.text ?? RefusalText.text(refusal.code, to: requests[refusal.index]))\n")
        }
        status = refusals.contains { $0.index == requests.count - 1 } ? Self.refused : 0
    }

    private func list(_ listing: Listing, _ format: ListFormat) throws(Ended) {
        let text = TableListing(names, format)
        switch listing {
        case .table:
            let whole = try read { (table) throws(TableFailure) in try table.table() }
            print(whole.facts.firstLine + text.title + text.rows(whole.services))
        case .service(let identity):
            guard let service = try read({ (table) throws(TableFailure) in try table.service(identity) }) else {
                throw end("\(RefusalText.noSuchService)\n", 1)
            }
            print(text.title + text.rows([service]))
        case .connections: try listConnections(format)
        case .timeouts: print(try read { (table) throws(TableFailure) in try table.facts() }.timeoutListing)
        case .daemons:
            let daemons = try read { (table) throws(TableFailure) in try table.syncDaemons() }
            print(daemons.map(\.listing).joined())
        }
    }

    /// The kernel shows connections in a file and nowhere else.
    private func listConnections(_ format: ListFormat) throws(Ended) {
        let text = ConnectionListing(names, format)
        var page = text.title
        func list() -> Bool {
            ConnectionLines.each { line in
                page += text.row(line) ?? ""
                if page.utf8.count > 1 << 16 {
                    print(page)
                    page = ""
                }
            }
        }
        if !list() {
            // The module may not be loaded yet, which this does, or says why not.
            _ = try read { (table) throws(TableFailure) in try table.facts() }
            guard list() else { throw end("cannot open file \(ConnectionLines.path)\n", 1) }
        }
        print(page)
    }

    private func read<Answer>(_ ask: (Table) throws(TableFailure) -> Answer) throws(Ended) -> Answer {
        do throws(TableFailure) {
            return try ask(table)
        } catch {
            switch error {
            case .unavailable(let code): throw end(RefusalText.unavailable(code), 2)
            case .refused(let code): throw end("\(RefusalText.text(code))\n", 1)
            case .other(let text, let status): throw end("\(text)\n", status)
            }
        }
    }

    private func end(_ text: String, _ status: Int32) -> Ended {
        complain(text)
        return Ended(status: status)
    }
}
