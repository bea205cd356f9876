// The receive buffer of a socket (SO_RCVBUF in socket(7)). The kernel doubles what is asked for, for its own records; here sizes are what is
// asked for.

public import Configuration
import Glibc

/// Receive buffers.
public enum ReceiveBuffer {
    /// Gives a socket the buffer that the configuration asks for, and never less than `own`, which is what Evenkeel needs. Beyond
    /// net.core.rmem_max it goes with `isForced` and CAP_NET_ADMIN only.
    /// - Returns: what is wrong, for people; nil when the socket has what was asked for.
    @discardableResult
    public static func set(_ wanted: NetlinkBuffer, atLeast own: Int, of descriptor: Int32) -> String? {
        let octets = max(wanted.octets ?? own, own)
        let isOwn = octets == own
        if !isOwn, !wanted.isForced { ask(octets, SO_RCVBUF, descriptor) }
        let isEnough = !isOwn && !wanted.isForced && size(of: descriptor) >= own
        if !isEnough, !ask(isOwn || wanted.isForced ? octets : own, SO_RCVBUFFORCE, descriptor) {
            ask(octets, SO_RCVBUF, descriptor)
        }
        let granted = size(of: descriptor)
        guard !isOwn, granted < octets else { return nil }
        return "\(octets) octets were asked for, the kernel gives \(granted)"
    }

    /// What the socket has.
    public static func size(of descriptor: Int32) -> Int {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &value, &length) == 0 else { return 0 }
        return Int(value) / 2
    }

    @discardableResult
    private static func ask(_ octets: Int, _ option: Int32, _ descriptor: Int32) -> Bool {
        var value = Int32(clamping: octets)
        return setsockopt(descriptor, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0
    }
}
