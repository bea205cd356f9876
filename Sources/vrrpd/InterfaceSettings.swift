// Settings of an interface that only /proc/sys has: IPv6 on or off, and whether routers of the link may configure it.

import Glibc
import Netlink
import Platform

enum InterfaceSettings {
    /// IPv6 of an interface: off, or on without what routers announce (its addresses are the virtual ones alone).
    static func setIPv6(_ isOn: Bool, on interface: String) throws(NetlinkError) {
        if isOn { try write(0, "accept_ra", of: interface) }
        try write(isOn ? 0 : 1, "disable_ipv6", of: interface)
    }

    private static func write(_ value: Int, _ setting: String, of interface: String) throws(NetlinkError) {
        let path = "/proc/sys/net/ipv6/conf/\(interface)/\(setting)"
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
