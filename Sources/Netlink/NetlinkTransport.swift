// The seam between netlink conversations and the kernel: datagrams out, datagrams in. `NetlinkSocket` is the real one; tests put a
// scripted kernel here, a function from requests to replies.

/// Carries netlink datagrams.
public protocol NetlinkTransport: ~Copyable {
    /// Sends one datagram, which may hold many messages; the kernel executes them in order.
    func send(_ datagram: UnsafeRawBufferPointer) throws(NetlinkError)
    /// Waits for one datagram from the kernel and returns its length. `.timedOut` when none came (on a non-blocking socket: none
    /// is queued), `.overrun` when the kernel had to drop some.
    func receive(into buffer: UnsafeMutableRawBufferPointer) throws(NetlinkError) -> Int
}
