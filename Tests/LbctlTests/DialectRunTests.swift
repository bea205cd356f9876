// `lbctl ipvs` against a scripted table: when changes are sent, in which order what is said comes out, and with which exit status it ends.

import Configuration
import Glibc
import IPVS
import Net
import Testing

@testable import lbctl

/// A table that refuses what it is told to.
private final class ScriptedTable: TableAccess {
    var batches: [[TableRequest]] = []
    var refusing: [(request: TableRequest, code: Int32)] = []
    var failure: TableFailure?

    func execute(_ requests: [TableRequest]) throws(TableFailure) -> [RefusedRequest] {
        if let failure { throw failure }
        batches.append(requests)
        return requests.enumerated().compactMap { index, request in
            refusing.first { $0.request == request }.map { RefusedRequest(index: index, code: $0.code) }
        }
    }
    func table() throws(TableFailure) -> WholeTable {
        if let failure { throw failure }
        return WholeTable(facts: KernelFacts(), services: [])
    }
    func service(_ identity: VirtualServerIdentity) throws(TableFailure) -> ServiceSnapshot? { nil }
    func facts() throws(TableFailure) -> KernelFacts {
        if let failure { throw failure }
        return KernelFacts()
    }
    func syncDaemons() throws(TableFailure) -> [SyncDaemon] { [] }
}

@Suite struct DialectRunTests {
    private let table = ScriptedTable()

    private func run(_ line: String) -> (status: Int32, said: String) {
        var said = ""
        var run = DialectRun(
            program: "ipvsadm", table: table, names: SystemNames(), print: { said += $0 },
            complain: { said += "E: \($0)" })
        let status = run.run(line.split(separator: " ").map(String.init))
        return (status, said)
    }

    @Test func `a change that is made says nothing`() {
        #expect(run("-C") == (0, ""))
        #expect(table.batches == [[.command(.flush)]])
    }

    @Test func `a change that is refused is said in ipvsadm's words`() {
        table.refusing = [(.command(.flush), EINVAL), (.command(.synchronise(.stop(.master))), ESRCH)]
        #expect(run("-C").said == "E: Invalid operation.  Possibly wrong module version, address not unicast, ...\n")
        #expect(run("--stop-daemon master") == (255, "E: No daemon is running\n"))
    }

    @Test func `what nobody can do is said once`() {
        table.failure = .unavailable(ENOPROTOOPT)
        let text = """
            E: Can't initialize ipvs: Protocol not available
            Are you sure that IP Virtual Server is built in the kernel or as module?

            """
        #expect(run("-C") == (2, text))
        #expect(run("-L") == (2, text))
        table.failure = .refused(EBUSY)
        #expect(run("-S") == (1, "E: Device or resource busy\n"))
    }

    @Test func `a wrong command line changes nothing`() {
        #expect(run("-C foo") == (2, "E: unexpected argument foo\n"))
        #expect(run("-L -q") == (255, "E: -q: unknown option\n"))
        #expect(run("foo") == (255, "E: Try `ipvsadm -h' or 'ipvsadm --help' for more information.\n"))
        #expect(table.batches.isEmpty)
    }

    @Test(
        arguments: [
            (["lbctl", "ipvs", "-L"], "lbctl ipvs", false, nil, ["-L"]),
            (["lbctl", "ipvs"], "lbctl ipvs", false, nil, []),
            (["lbctl", "ipvs", "--direct", "-L", "--direct"], "lbctl ipvs", true, nil, ["-L", "--direct"]),
            (["/bin/lbctl", "--socket", "X", "ipvs", "--direct", "-h"], "lbctl ipvs", true, "X", ["-h"]),
            (["lbctl", "ipvs", "--socket=X", "-L", "--timeout"], "lbctl ipvs", false, "X", ["-L", "--timeout"]),
            (["lbctl", "--instance", "b", "ipvs", "-L"], "lbctl ipvs", false, "/run/evenkeel@b/bus.sock", ["-L"]),
            (["lbctl", "ipvs", "--instance=a", "-L"], "lbctl ipvs", false, "/run/evenkeel@a/bus.sock", ["-L"]),
            (["/sbin/ipvsadm", "-v"], "/sbin/ipvsadm", false, nil, ["-v"]),
            (["ipvsadm", "ipvs"], "ipvsadm", false, nil, ["ipvs"]),
        ] as [([String], String, Bool, String?, [String])])
    func `ipvsadm's words are left alone`(
        _ words: [String], _ program: String, _ isDirect: Bool, _ socket: String?, _ rest: [String]
    ) throws {
        let line = try #require(DialectLine(process: words))
        #expect(line.program == program)
        #expect(line.isDirect == isDirect)
        #expect(line.socket == socket)
        #expect(Array(line.arguments) == rest)
    }

    @Test(arguments: [["lbctl"], ["lbctl", "status"], ["lbctl", "--direct", "status"], ["lbctl", "call", "ipvs"]])
    func `other command lines are not its`(_ words: [String]) {
        #expect(DialectLine(process: words) == nil)
    }
}
