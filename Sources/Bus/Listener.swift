// A listening Unix socket on the loop. When descriptors run out it rests for a moment instead of spinning on a
// connection that it cannot take.
public import Platform

/// Accepts connections and hands them on.
public final class Listener {
    /// Connections taken in one turn, some milliseconds' work: many, because whoever comes while the queue is full is
    /// refused by the kernel, and bounded, because the connections already there wait meanwhile.
    private static let acceptsPerTurn = 256
    private static let rest: Duration = .milliseconds(200)

    private let descriptor: FileDescriptor
    private let accepted: (consuming FileDescriptor) -> Void
    private var watch: Watch?
    private var restEnd: LoopTimer?

    /// Takes over a listening socket.
    public init(
        _ descriptor: consuming FileDescriptor, on loop: EventLoop,
        accepted: @escaping (consuming FileDescriptor) -> Void
    ) throws(Errno) {
        let number = descriptor.number
        self.descriptor = descriptor
        self.accepted = accepted
        watch = try loop.watch(number, .read) { [weak self] _ in self?.accept() }
        restEnd = loop.timer { [weak self] in self?.setListening(true) }
    }

    private func accept() {
        for _ in 0..<Self.acceptsPerTurn {
            do throws(Errno) {
                guard let connection = try UnixSocket.accept(descriptor.number) else { return }
                accepted(connection)
            } catch {
                setListening(false)
                restEnd?.arm(after: Self.rest)
                return
            }
        }
    }

    private func setListening(_ listening: Bool) {
        // The descriptor is open and registered, so this cannot fail; if it did, the next rest would try again.
        do throws(Errno) { try watch?.update(listening ? .read : []) } catch { restEnd?.arm(after: Self.rest) }
    }
}
