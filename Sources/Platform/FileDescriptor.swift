// The owner of one descriptor. It cannot be copied, so it is closed exactly once.
import CLinux

/// A file descriptor that is closed when its owner goes.
public struct FileDescriptor: ~Copyable, Sendable {
    /// The number, for calls that borrow it. It must not outlive this value.
    public let number: Int32

    /// Takes over an open descriptor.
    public init(owning number: Int32) {
        self.number = number
    }

    deinit { _ = ek_close(number) }

    /// Gives the descriptor away without closing it.
    public consuming func release() -> Int32 {
        let number = self.number
        discard self
        return number
    }

    /// Reads what is there, at most the buffer's size. 0 at the end of the stream; EAGAIN is thrown.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        try Errno.check(ek_read(number, buffer.baseAddress, buffer.count), "read")
    }

    /// Writes a prefix of the buffer and returns its length; EAGAIN is thrown.
    public func write(_ buffer: UnsafeRawBufferPointer) throws(Errno) -> Int {
        try Errno.check(ek_write(number, buffer.baseAddress, buffer.count), "write")
    }
}
