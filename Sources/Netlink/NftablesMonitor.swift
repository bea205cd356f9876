// Hears when somebody else changes our table: `nft flush ruleset` in another's start script would else leave `no_accept` without rules for good.

internal import CNl
internal import Glibc

/// Listens to nf_tables' notifications.
public final class NftablesMonitor {
    private let socket: NetlinkSocket
    private let buffer: UnsafeMutableRawBufferPointer
    private let table: String

    /// NFNLGRP_NFTABLES of linux/netfilter/nfnetlink.h.
    private static let group: Int32 = 7
    /// Datagrams read at a time: a flood cannot hold up the loop.
    private static let burst = 256

    /// Joins the group in the current network namespace.
    public init(table: String) throws(NetlinkError) {
        socket = try NetlinkSocket(.netfilter)
        try socket.join(Self.group)
        self.table = table
        buffer = .allocate(byteCount: 64 << 10, alignment: 16)
    }

    deinit {
        buffer.deallocate()
    }

    /// The descriptor to watch for reading.
    public var number: Int32 { socket.number }

    /// Reads what waits. True when the table was changed, or may have been: what of it is our own doing is the caller's to know.
    /// - Parameter port: of the socket whose changes do not count; nil = all do.
    public func isTouched(butBy port: UInt32? = nil) -> Bool {
        var touched = false
        for _ in 0..<Self.burst {
            do throws(NetlinkError) {
                let length = try socket.receive(into: buffer)
                for reply in NetlinkDatagram(UnsafeRawBufferPointer(rebasing: buffer[..<length])) {
                    // Attribute 1 is the table's name in every message of this subsystem that belongs to one.
                    let isOurs =
                        reply.type >> 8 == 10 && reply.port != port
                        && reply.attributes(after: 4).contains { $0.type == 1 && $0.string == table }
                    touched = touched || isOurs
                }
            } catch .timedOut {
                return touched
            } catch {
                touched = true
            }
        }
        return touched
    }
}
