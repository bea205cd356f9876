// Words about the processes and the buffers of their sockets.

import Net
import Testing

@testable import Configuration

@Suite struct ProcessWordTests {
    private func definitions(_ text: String) -> GlobalDefinitions? {
        let loaded = load("global_defs {\n\(text)\n}")
        #expect(loaded.inactions == [] && summary(loaded) == [], "\(text)")
        return loaded.configuration?.global
    }

    @Test(arguments: ["vrrp", "checker"]) func `scheduling, processors and memory of a process`(_ prefix: String) throws
    {
        let text = """
            \(prefix)_priority -5
            \(prefix)_rt_priority 7
            \(prefix)_rlimit_rttime 20000
            \(prefix)_cpu_affinity 1 3 1023
            \(prefix)_no_swap
            """
        let global = try #require(definitions(text))
        var expected = ProcessSettings()
        expected.niceValue = -5
        expected.realtimePriority = 7
        expected.realtimeLimit = .milliseconds(20)
        expected.processors = [1, 3, 1023]
        expected.locksMemory = true
        #expect((prefix == "vrrp" ? global.vrrpProcess : global.checkerProcess) == expected)
        #expect((prefix == "vrrp" ? global.checkerProcess : global.vrrpProcess) == ProcessSettings())
    }

    @Test(arguments: [("max_auto_priority", 99), ("max_auto_priority 5", 5), ("max_auto_priority -1", 0)])
    func `late timers may raise every process`(_ line: String, _ limit: Int) throws {
        let global = try #require(definitions(line + "\nmin_auto_priority_delay 250000"))
        for process in [global.vrrpProcess, global.checkerProcess] {
            #expect(process.automaticPriority == limit && process.automaticDelay == .milliseconds(250))
        }
    }

    @Test(arguments: [
        "vrrp_priority 20", "checker_rt_priority 100", "vrrp_cpu_affinity", "vrrp_cpu_affinity 0 x",
        "vrrp_cpu_affinity 1024",
        "vrrp_rlimit_rttime 1", "max_auto_priority 100", "min_auto_priority_delay 0", "vrrp_rx_bufs_policy some",
        "vrrp_rx_bufs_multiplier 0", "vrrp_netlink_cmd_rcv_bufs x",
    ])
    func `what is out of range is an error`(_ line: String) {
        #expect(load("global_defs {\n\(line)\n}").configuration == nil)
    }

    @Test func `words of the BFD process are not needed, and say where to write them`() {
        let loaded = load("global_defs {\nbfd_rt_priority 50\nbfd_no_swap\n}")
        #expect(loaded.configuration != nil && loaded.inactions == [])
        #expect(KeywordTable.explain("bfd_rt_priority").contains { "\($0.support)".contains("vrrp_rt_priority") })
    }

    @Test(arguments: [
        ("", "", ReceiveBufferPolicy.standard), ("vrrp_rx_bufs_policy MTU", "", .mtus(3)),
        ("vrrp_rx_bufs_multiplier 9\nvrrp_rx_bufs_policy ADVERT", "", .advertisements(9)),
        ("vrrp_rx_bufs_policy 65536", "", .octets(65536)),
        ("vrrp_rx_bufs_policy MTU", "kernel_rx_buf_size 4096", .octets(4096)),
    ])
    func `an instance's part of the receive buffer`(_ line: String, _ own: String, _ policy: ReceiveBufferPolicy) throws
    {
        let loaded = load("global_defs {\n\(line)\n}\n" + instanceText(own))
        #expect(loaded.inactions == [] && summary(loaded) == [])
        #expect(loaded.configuration?.instances.first?.receiveBuffer == policy)
    }

    @Test func `buffers of netlink sockets`() throws {
        let global = try #require(
            definitions(
                "vrrp_netlink_cmd_rcv_bufs 2000000\nvrrp_netlink_monitor_rcv_bufs_force\nprocess_monitor_rcv_bufs 5")
        )
        #expect(global.vrrpCommandBuffer.octets == 2_000_000 && !global.vrrpCommandBuffer.isForced)
        #expect(global.vrrpMonitorBuffer.octets == nil && global.vrrpMonitorBuffer.isForced)
        #expect(global.processMonitorBuffer.octets == 5)
        let ours = try #require(definitions("lvs_netlink_cmd_rcv_bufs 3000000\nlvs_netlink_cmd_rcv_bufs_force"))
        #expect(ours.lvsCommandBuffer.octets == 3_000_000 && ours.lvsCommandBuffer.isForced)
    }

    @Test func `what goes at stop`() throws {
        #expect(try #require(definitions("lvs_flush_on_stop")).flushAtStop == .everything)
        #expect(try #require(definitions("lvs_flush_on_stop VS")).flushAtStop == .services)
        #expect(try #require(definitions("")).flushAtStop == nil)
        #expect(load("global_defs {\nlvs_flush_onstop VS\n}").configuration?.global.flushAtStop == .services)
        #expect(load("global_defs {\nlvs_flush_on_stop RS\n}").configuration == nil)
    }

    @Test(arguments: [
        ("timer_expired_backup", UInt8(254)), ("timer_expired_backup 100", 100), ("thread_timer_expired 7", 7),
    ])
    func `a late master gives way where it is written`(_ line: String, _ priority: UInt8) {
        let loaded = load(instanceText(line))
        #expect(loaded.inactions == [])
        #expect(loaded.configuration?.instances.first?.lateYieldsTo == priority)
        #expect(load(instanceText("")).configuration?.instances.first?.lateYieldsTo == nil)
        #expect(load(instanceText("timer_expired_backup 255")).configuration == nil)
    }
}
