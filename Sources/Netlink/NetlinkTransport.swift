// The seam between netlink conversations and the kernel: datagrams out, datagrams in. `NetlinkSocket` is the real one; tests put a
// scripted kernel here, a function from requests to replies.

/// Carries netlink datagrams.
public protocol NetlinkTransport: ~Copyable {
    /// Sends one datagram, which may hold many messages; the kernel executes them in order.
    func send(_ datagram: UnsafeRawBufferPointer) throws(NetlinkError)
    /// Takes the next datagram from the kernel and returns its length; never waits. `.timedOut` when none is queued, `.overrun` when the
    /// kernel had to drop some.
    func receive(into buffer: UnsafeMutableRawBufferPointer) throws(NetlinkError) -> Int
}

extension NetlinkTransport where Self: ~Copyable {
    /// Reads and throws away everything that is queued, and what is left of an abandoned dump, which the kernel makes as it is read. The
    /// kernel queues nothing after an overflow before the queue was empty once (NETLINK_S_CONGESTED, net/netlink/af_netlink.c), and
    /// refuses a dump while another is under way (EBUSY): so this is what has to be done after any lost answer.
    func discard(into buffer: UnsafeMutableRawBufferPointer) {
        // A bound for a kernel that never ends; 65,536 datagrams are more than any receive buffer holds.
        for _ in 0..<65_536 {
            do throws(NetlinkError) {
                _ = try receive(into: buffer)
            } catch .timedOut {
                return
            } catch .overrun, .malformed {
                continue
            } catch {
                return
            }
        }
    }
}

/// A transport behind a reference: an existential of a noncopyable value cannot be borrowed out of a class (Swift 6.3).
protocol Carrier: AnyObject {
    func send(_ datagram: UnsafeRawBufferPointer) throws(NetlinkError)
    func receive(into buffer: UnsafeMutableRawBufferPointer) throws(NetlinkError) -> Int
    func discard(into buffer: UnsafeMutableRawBufferPointer)
}

final class Owner<Transport: NetlinkTransport & ~Copyable>: Carrier {
    private let transport: Transport

    init(_ transport: consuming Transport) {
        self.transport = transport
    }

    func send(_ datagram: UnsafeRawBufferPointer) throws(NetlinkError) { try transport.send(datagram) }

    func receive(into buffer: UnsafeMutableRawBufferPointer) throws(NetlinkError) -> Int {
        try transport.receive(into: buffer)
    }
    func discard(into buffer: UnsafeMutableRawBufferPointer) { transport.discard(into: buffer) }
}
