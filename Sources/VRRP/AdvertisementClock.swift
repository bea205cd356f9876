// The time that `auth_hmac` stamps and judges advertisements by. It follows the wall clock, but not when that steps: a clock that jumps back
// must not make the others take this host's advertisements for old ones, nor this host those of the others. After a step two times are
// kept, the wall clock's and the one that went on steadily; either makes an advertisement fresh. The later one stamps, until a verified
// advertisement of another host shows which of the two the others have.

internal import Net

/// A time of the wall clock.
public struct WallTime: Hashable, Sendable {
    /// Since 1970, UTC.
    public let nanoseconds: Int64

    /// A time.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// From here to a time in seconds modulo 2^32; negative: it is before this one.
    fileprivate func difference(to seconds: UInt32) -> Int {
        Int(Int32(bitPattern: seconds &- UInt32(truncatingIfNeeded: nanoseconds / 1_000_000_000)))
    }
}

/// Wall-clock time without steps.
struct AdvertisementClock {
    /// Both times at one moment.
    struct Reading {
        fileprivate let wall: WallTime
        fileprivate let steady: WallTime
        /// What to stamp advertisements with.
        let stamp: WallTime

        /// The seconds by which another host's time differs from the nearer one of both; negative: it is behind.
        func difference(of seconds: UInt32) -> Int {
            let (one, other) = (wall.difference(to: seconds), steady.difference(to: seconds))
            return one.magnitude <= other.magnitude ? one : other
        }
    }

    /// A difference up to this is the clock being corrected; a larger one is a step.
    private static let step: Int64 = 1_000_000_000

    /// The wall clock less `Instant`, as it was before a step.
    private var offset: Int64?
    /// Other hosts have the steady time, not the one that the wall clock was set to.
    private var isWallWrong = false

    /// Both times now.
    mutating func read(_ wall: WallTime, at now: Instant) -> Reading {
        var steady = offset.map { WallTime(nanoseconds: now.nanoseconds &+ $0) } ?? wall
        if (wall.nanoseconds &- steady.nanoseconds).magnitude <= Self.step.magnitude {
            offset = wall.nanoseconds &- now.nanoseconds
            isWallWrong = false
            steady = wall
        }
        let stamp = isWallWrong || steady.nanoseconds > wall.nanoseconds ? steady : wall
        return Reading(wall: wall, steady: steady, stamp: stamp)
    }

    /// A verified advertisement that was not heard before has this time.
    mutating func confirm(_ seconds: UInt32, within window: Int, _ reading: Reading, at now: Instant) {
        guard reading.wall != reading.steady else { return }
        if reading.wall.difference(to: seconds).magnitude <= window {
            offset = reading.wall.nanoseconds &- now.nanoseconds
            isWallWrong = false
        } else if reading.steady.difference(to: seconds).magnitude <= window {
            isWallWrong = true
        }
    }
}
