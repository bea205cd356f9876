// Settings that only /proc/sys has: IPv6 of an interface on or off, and whether routers of the link may configure it; and whether this host
// tells switches of link-local groups that it joins.

import Glibc
import Netlink
import Platform

enum InterfaceSettings {
    /// IPv6 of an interface: off, or on without what routers announce (its addresses are the virtual ones alone).
    static func setIPv6(_ isOn: Bool, on interface: String) throws(NetlinkError) {
        if isOn { try write(0, to: "/proc/sys/net/ipv6/conf/\(interface)/accept_ra") }
        try write(isOn ? 0 : 1, to: "/proc/sys/net/ipv6/conf/\(interface)/disable_ipv6")
    }

    fileprivate static func write(_ value: Int, to path: String) throws(NetlinkError) {
        let number = open(path, O_WRONLY | O_CLOEXEC)
        guard number >= 0 else {
            // Without IPv6 in the kernel there is nothing to set.
            guard errno != ENOENT else { return }
            throw .system(call: "open(\(path))", code: errno)
        }
        let file = FileDescriptor(owning: number)
        let text = Array("\(value)\n".utf8)
        guard Glibc.write(file.number, text, text.count) == text.count else {
            throw .system(call: "write(\(path))", code: errno)
        }
    }
}

/// `disable_local_igmp`: no membership reports for groups within 224.0.0.0/24, VRRP's among them. The setting is the whole network
/// namespace's; what it was before is put back, except by a process that was killed.
struct LocalIGMP {
    static let path = "/proc/sys/net/ipv4/igmp_link_local_mcast_reports"
    private var isTurnedOff = false

    /// Turns the reports off, or on again where they were on.
    mutating func adopt(isDisabled: Bool) throws(NetlinkError) {
        guard isDisabled != isTurnedOff else { return }
        if isDisabled {
            let found = (try? FileSystem.contents(of: Self.path, limit: 16)) ?? nil
            guard found?.first != UInt8(ascii: "0") else { return }
        }
        try InterfaceSettings.write(isDisabled ? 0 : 1, to: Self.path)
        isTurnedOff = isDisabled
    }
}
