// Who reads notify_fifo: programs of the configuration, ended, begun again and replaced; and readers of the administrator's own, for which
// the end of a scriptd must not be the end of all lines.

import Bus
import Glibc
import Net
import Platform
import Testing

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(2)))
struct PipeReaderTests {
    private func configuration(_ directory: String, reader: String) -> String {
        """
        global_defs {
         script_user root
         vrrp_notify_fifo \(directory)/pipe
         \(reader.isEmpty ? "" : "vrrp_notify_fifo_script \"\(reader)\"")
        }
        vrrp_instance VI_1 {
         interface eth0
         version 3
         virtual_router_id 51
         advert_int 0.1
         virtual_ipaddress {
         10.77.0.100/24
         }
        }

        """
    }

    private func room(reader: String, _ script: String) throws -> NotifyRoom {
        let room = try NotifyRoom(.vrrpd, pipe: false) { _ in "" }
        try room.write(script.replacing("DIR", with: room.directory))
        try room.router.configure(
            configuration(room.directory, reader: reader.replacing("DIR", with: room.directory)))
        return room
    }

    @Test func `a reader of the administrator's own has a writer again when scriptd is back`() throws {
        let room = try room(reader: "", "true")
        unlink(room.directory + "/pipe")
        try room.router.start()
        func hasWriter() -> Bool {
            let reader = open(room.directory + "/pipe", O_RDONLY | O_NONBLOCK)
            defer { close(reader) }
            var octet: UInt8 = 0
            let count = read(reader, &octet, 1)
            return count == 1 || count < 0 && errno == EAGAIN
        }
        try room.eventually("the pipe is there and open") { hasWriter() }
        try room.eventually("nothing more will be written") { (try? room.router.show().runtime.state) == .master }
        try room.killScriptd()
        try room.eventually("it is not") { !hasWriter() }
        try room.startScriptd()
        try room.eventually("it is again") { hasWriter() }
    }

    @Test func `a reload that names another reader ends the one before first`() throws {
        let room = try room(
            reader: "DIR/tell a",
            "trap 'sleep 1; echo end $1 >>DIR/told; exit' TERM; echo begin $1 >>DIR/told; while :; do sleep 0.1; done")
        try room.router.start()
        try room.eventually("it reads") { room.told == ["begin a"] }
        try room.reload(configuration(room.directory, reader: room.directory + "/tell b"))
        try room.eventually("the other reads") { room.told.last == "begin b" }
        #expect(room.told == ["begin a", "end a", "begin b"])
    }

    @Test func `a reader that ends at once is begun ever more slowly, and is an alarm`() throws {
        let room = try room(reader: "DIR/tell", "echo begin >>DIR/told; echo no database; exit 3")
        try room.router.start()
        try room.eventually("the alarm stands") {
            room.router.log.contains("does not go on: exit status 3 (no database)")
        }
        try room.segment.observe(for: .seconds(6))
        #expect((2...4).contains(room.told.count))
        try room.write("sleep 1000")
        try room.eventually("the alarm is over", within: .seconds(40)) { room.router.log.contains("/pipe: over") }
    }
}
