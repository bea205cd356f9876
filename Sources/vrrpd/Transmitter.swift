// What leaves: advertisements as packets, or as frames where the virtual router has a hardware address of its own; gratuitous ARP and neighbour
// advertisements as frames. The buffers are kept, so that an advertisement allocates nothing.

import Configuration
import Net
import Platform
import VRRP

/// Encodes and sends.
struct Transmitter {
    private let wire: any Wire
    private var packet: [UInt8] = []
    private var frames: [UInt8] = []
    private var sealer = TrailerSealer(KeyedSHA256.digest)

    init(_ wire: any Wire) {
        self.wire = wire
        packet.reserveCapacity(40 + 8 + 16 * 255 + 28)
    }

    /// Sends an advertisement to everybody it is for.
    /// - Returns: why it could not be sent to one of them.
    mutating func send(_ sending: Effects.Sending) -> Errno? {
        guard let voice = sending.voice else { return nil }
        switch sending.delivery {
        case .multicast(let group):
            return send(sending, voice, to: group, timeToLive: Advertisement.timeToLive)
        case .unicast(let peers, let timeToLive):
            var failure: Errno?
            for peer in peers {
                let result = send(sending, voice, to: peer.address, timeToLive: timeToLive)
                failure = failure ?? result
            }
            return failure
        }
    }

    private mutating func send(
        _ sending: Effects.Sending, _ voice: Voice, to destination: IPAddress, timeToLive: UInt8
    ) -> Errno? {
        guard destination.family == voice.source.family else { return nil }
        let form = sending.oldPeers.contains(destination) ? .groupPseudoHeader : sending.checksum
        sending.advertisement.encodePacket(
            into: &packet, from: voice.source, to: destination, checksum: form, group: sending.group,
            timeToLive: timeToLive)
        if let signature = sending.signature {
            let isUnicast = !destination.isMulticast
            guard AuthenticationHeader.seal(&packet, signature, isUnicast: isUnicast, KeyedMD5.digest) else {
                return Errno(noSuchFunction, "HMAC-MD5 of libcrypto")
            }
        }
        if let trailer = sending.trailer, !sealer.seal(&packet, trailer) {
            return Errno(noSuchFunction, "HMAC-SHA-256 of libcrypto")
        }
        do throws(Errno) {
            if let mac = voice.virtualMAC, let link = voice.channel.link {
                Advertisement.encodeFrame(into: &frames, packet, from: mac, to: destination)
                try wire.send(frames: frames, count: 1, through: link)
            } else {
                try wire.send(packet, to: destination, through: voice.channel)
            }
            return nil
        } catch {
            return error
        }
    }

    /// Announces addresses, in rounds: all of them once, then the repeats, so that none waits for those of another. What cannot be sent is
    /// left out; the last failure is thrown.
    mutating func announce(_ announcing: Effects.Announcing) throws(Errno) {
        guard let mac = announcing.link.mac else { return }
        var failure: Errno?
        for family in [AddressFamily.inet, .inet6] {
            let addresses = announcing.addresses.lazy.filter { $0.family == family }
            guard !addresses.isEmpty else { continue }
            let isRouter = family == .inet6 && wire.forwardsIPv6(announcing.link.name)
            frames.removeAll(keepingCapacity: true)
            frames.reserveCapacity(announcing.addresses.count * Announcement.longest)
            for address in addresses { Announcement.append(to: &frames, address, mac: mac, isRouter: isRouter) }
            for _ in 0..<announcing.count {
                do throws(Errno) {
                    try wire.send(frames: frames, count: addresses.count, through: announcing.link.index)
                } catch {
                    failure = error
                }
            }
        }
        if let failure { throw failure }
    }
}

/// ENOSYS.
private let noSuchFunction: Int32 = 38
