// A connected, non-blocking socket on the event loop: what arrives is handed over in chunks, what is sent is queued and
// leaves at the end of the turn, many frames in one write. Nothing here knows Varlink.
import DequeModule
import Glibc
public import Platform

/// Who a stream reports to.
public protocol ByteStreamOwner: AnyObject {
    /// Octets arrived. They are valid during the call only.
    func stream(_ stream: ByteStream, received octets: UnsafeRawBufferPointer)
    /// The peer sends no more but may still read (`shutdown`).
    func streamFinished(_ stream: ByteStream)
    /// The connection is over. Not called after `close`.
    func streamClosed(_ stream: ByteStream)
    /// Everything queued has left.
    func streamDrained(_ stream: ByteStream)
}

/// Octets held for one user, over all of its connections.
public final class QueueMeter {
    /// How many.
    public var octets = 0

    /// An empty meter.
    public init() {}
}

/// One connection. Released or closed, it closes the socket.
public final class ByteStream {
    /// Octets read in one turn: a bound on the work that one peer can cause before others have their turn.
    private static let chunk = 1 << 16
    /// How long a peer that reads nothing is given for its last octets: longer than a busy machine makes a client wait,
    /// short enough that many of them hold no descriptors.
    public static let lingering: Duration = .seconds(5)

    private let loop: EventLoop
    private var descriptor: FileDescriptor?
    private var watch: Watch?
    private weak var owner: (any ByteStreamOwner)?
    /// Where what is queued is counted; handed from one user to the next with the connection.
    public var meter: QueueMeter? {
        didSet {
            oldValue?.octets -= queued
            meter?.octets += queued
        }
    }
    /// What epoll has been told to wait for.
    private var interest: Readiness = .read
    private var lingerEnd: LoopTimer?
    /// Keeps a stream alive that its owner has let go of while it drains.
    private var whileDraining: ByteStream?
    private var queue: Deque<[UInt8]> = []
    private var sentOfFirst = 0
    private var flushIsPlanned = false
    private var waitsForRoom = false
    private var closesWhenDrained = false
    private var peerFinished = false

    /// Octets queued and not yet taken by the kernel.
    public private(set) var queued = 0 {
        didSet { meter?.octets += queued - oldValue }
    }

    /// Whether more is read. Without reading, the peer's writes fill up and it waits.
    public var isReading = true {
        didSet { if oldValue != isReading { updateInterest() } }
    }

    /// Whether the connection is still there.
    public var isOpen: Bool { watch != nil }

    /// The peer has closed its end: nothing that is sent is read.
    public var peerHasGone: Bool {
        guard let number = descriptor?.number else { return true }
        var entry = pollfd(fd: number, events: 0, revents: 0)
        return poll(&entry, 1, 0) > 0
    }

    /// Takes over a connected non-blocking socket. What is queued is added to `meter`.
    public init(
        _ descriptor: consuming FileDescriptor, on loop: EventLoop, owner: any ByteStreamOwner,
        meter: QueueMeter? = nil
    ) throws(Errno) {
        self.loop = loop
        self.owner = owner
        self.meter = meter
        let number = descriptor.number
        self.descriptor = consume descriptor
        watch = try loop.watch(number, .read) { [weak self] readiness in self?.isReady(readiness) }
    }

    deinit { meter?.octets -= queued }

    /// Queues octets; they leave at the end of this turn or as the peer makes room.
    public func send(_ octets: [UInt8]) {
        guard isOpen, !octets.isEmpty else { return }
        queue.append(octets)
        queued += octets.count
        guard !flushIsPlanned, !waitsForRoom else { return }
        flushIsPlanned = true
        loop.soon { [weak self] in
            self?.flushIsPlanned = false
            self?.flush()
        }
    }

    /// Closes now; what is queued is lost.
    public func close() {
        watch?.cancel()
        watch = nil
        descriptor = nil
        queue.removeAll()
        queued = 0
        lingerEnd = nil
        whileDraining = nil
    }

    /// Closes when everything queued has left, when the peer is gone, or after `limit`; reads no more. The owner may
    /// let go of the stream.
    public func closeWhenDrained(within limit: Duration = ByteStream.lingering) {
        guard isOpen, !closesWhenDrained else { return }
        closesWhenDrained = true
        isReading = false
        guard !queue.isEmpty else { return end() }
        whileDraining = self
        let timer = loop.timer { [weak self] in self?.end() }
        timer.arm(after: limit)
        lingerEnd = timer
    }

    private func isReady(_ readiness: Readiness) {
        if readiness.contains(.write) { flush() }
        guard isOpen, !readiness.isDisjoint(with: [.read, .hangup, .error]) else { return }
        if isReading, !peerFinished {
            read(peerIsGone: !readiness.isDisjoint(with: [.hangup, .error]))
        } else if !readiness.isDisjoint(with: [.hangup, .error]) {
            end()
        }
    }

    private func read(peerIsGone: Bool) {
        withUnsafeTemporaryAllocation(byteCount: Self.chunk, alignment: 16) { buffer in
            do throws(Errno) {
                let count = try readDescriptor(into: buffer)
                if count > 0 {
                    owner?.stream(self, received: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                } else if peerIsGone {
                    end()
                } else {
                    peerFinished = true
                    updateInterest()
                    owner?.streamFinished(self)
                }
            } catch {
                if !error.isWouldBlock { end() }
            }
        }
    }

    private func readDescriptor(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        switch descriptor {
        case .some(let descriptor): try descriptor.read(into: buffer)
        case .none: 0
        }
    }

    private func writeDescriptor(_ buffer: UnsafeRawBufferPointer) throws(Errno) -> Int {
        switch descriptor {
        case .some(let descriptor): try descriptor.write(buffer)
        case .none: 0
        }
    }

    private func flush() {
        guard isOpen else { return }
        do throws(Errno) {
            while !queue.isEmpty { advance(by: try writeSome()) }
            waitsForRoom = false
        } catch {
            guard error.isWouldBlock else { return end() }
            waitsForRoom = true
        }
        updateInterest()
        guard queue.isEmpty else { return }
        if closesWhenDrained { end() } else { owner?.streamDrained(self) }
    }

    /// One write: a large frame by itself, small ones gathered.
    private func writeSome() throws(Errno) -> Int {
        if queue.count == 1 || queue[0].count >= Self.chunk / 4 {
            return try queue[0].withUnsafeBytes { octets in
                Result { () throws(Errno) in try writeDescriptor(.init(rebasing: octets[sentOfFirst...])) }
            }.get()
        }
        var gathered: [UInt8] = []
        gathered.reserveCapacity(Self.chunk)
        gathered += queue[0][sentOfFirst...]
        for frame in queue.dropFirst() {
            guard gathered.count + frame.count <= Self.chunk else { break }
            gathered += frame
        }
        return try gathered.withUnsafeBytes { octets in
            Result { () throws(Errno) in try writeDescriptor(octets) }
        }.get()
    }

    private func advance(by count: Int) {
        queued -= count
        var sent = sentOfFirst + count
        while let first = queue.first, sent >= first.count {
            sent -= first.count
            queue.removeFirst()
        }
        sentOfFirst = sent
    }

    private func updateInterest() {
        var wanted: Readiness = []
        if isReading, !peerFinished { wanted.insert(.read) }
        if waitsForRoom { wanted.insert(.write) }
        guard wanted != interest else { return }
        interest = wanted
        do throws(Errno) { try watch?.update(wanted) } catch { end() }
    }

    private func end() {
        guard isOpen else { return }
        close()
        owner?.streamClosed(self)
    }
}
