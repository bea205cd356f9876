// `net_namespace` and `net_namespace_ipvs`: ipvsd and checkd, or keepalived, are started in the guest's own network, keep the table of
// another one, and probe from net_namespace.
import Glibc
import Platform
import Testing

@Suite(.serialized, .enabled(if: inTheLab))
struct NamespaceWordTests {
    private static let service = "tcp \(virtualAddress):80 rr"

    private let lab: Lab
    private let web: WebServer

    init() throws {
        lab = try Lab()
        // The guest's own table, which earlier suites may have left something in.
        try lab.run(["/sbin/ipvsadm", "-C"])
        web = try WebServer(on: .web1, loop: lab.loop)
    }

    /// A director that is started outside, for web1 alone.
    private func director(_ words: String) throws -> Director {
        let path = lab.directory + "/namespaces.conf"
        let text = """
            \(words)
            virtual_server \(virtualAddress) 80 {
                delay_loop 1
                lb_algo rr
                lb_kind DR
                protocol TCP
                real_server \(web.host.address) 80 {
                    weight 1
                    TCP_CHECK {
                        connect_timeout 1
                        retry 0
                    }
                }
            }
            """
        try FileSystem.replace(path, with: Array(text.utf8), durable: false)
        return try Director(on: .director1, configurationAt: path, lab: lab, outside: true)
    }

    /// What the guest's own table has.
    private func ownTable() throws -> [String] {
        let content = try FileSystem.contents(of: "/proc/thread-self/net/ip_vs", limit: 1 << 20)
        return ProcTable.lines(String(decoding: content ?? [], as: UTF8.self))
    }

    @Test(arguments: [(false, ""), (false, "net_namespace_ipvs director2"), (true, "net_namespace_ipvs director2")])
    func `the table is that of net_namespace_ipvs, and net_namespace is where servers are probed from`(
        keepalived: Bool, word: String
    ) throws {
        let (there, elsewhere) = word.isEmpty ? (Host.director1, Host.director2) : (.director2, .director1)
        // From there nobody can be reached.
        try lab.link(of: .director2, up: false)
        let director = try director("net_namespace director1\n\(word)")
        if keepalived {
            try director.startKeepalived()
        } else {
            for daemon in [Daemon.busd, .ipvsd, .checkd] { try director.start(daemon) }
        }
        let server = "  \(web.host.address):80 Route 1"
        try lab.eventually("the server is in the table", within: .seconds(15)) {
            try lab.table(of: there) == [Self.service, server]
        }
        web.stop()
        try lab.eventually("it is out of it", within: .seconds(15)) { try lab.table(of: there) == [Self.service] }
        try web.start()
        try lab.eventually("it is back", within: .seconds(15)) { try lab.table(of: there) == [Self.service, server] }
        #expect(try lab.table(of: elsewhere) == [])
        #expect(try ownTable() == [])
        if keepalived { try director.kill("keepalived") }
    }

    @Test func `without a name it is the network of the host's first process`() throws {
        defer { _ = try? lab.run(["/sbin/ipvsadm", "-C"]) }
        let director = try director("net_namespace director1\nnet_namespace_ipvs")
        try director.start(.busd)
        try director.start(.ipvsd)
        try lab.eventually("the service is in the table", within: .seconds(15)) {
            try ownTable().first == Self.service
        }
        #expect(try lab.table(of: .director1) == [])
    }
}
