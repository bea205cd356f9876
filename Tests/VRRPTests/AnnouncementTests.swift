// Gratuitous ARP, Neighbour Advertisement and their schedule.

import Net
import Testing
import VRRP

private let t0 = Instant(nanoseconds: 5_000_000_000)
private let mac = MACAddress(rawValue: 0x0200_0A00_0001)

@Suite struct AnnouncementTests {
    @Test func `a gratuitous ARP has the fields that keepalived sends`() {
        var frame: [UInt8] = []
        Announcement.append(to: &frame, .v4(IPv4Address(192, 168, 200, 254)), mac: mac)
        #expect(
            frame == [
                0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,  // to everybody
                0x02, 0x00, 0x0A, 0x00, 0x00, 0x01,  // from this interface
                0x08, 0x06,  // ARP
                0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x01,  // Ethernet, IPv4, lengths, request
                0x02, 0x00, 0x0A, 0x00, 0x00, 0x01, 192, 168, 200, 254,  // sender
                0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 192, 168, 200, 254,  // target
            ])
    }

    @Test func `a neighbour advertisement overrides and has a right checksum`() throws {
        var frame: [UInt8] = []
        let address = try #require(IPAddress("2001:db8::9"))
        Announcement.append(to: &frame, address, mac: mac, isRouter: true)
        #expect(frame.count == 14 + 40 + 32)
        #expect(frame[21] == 255)
        #expect(frame[54] == 136)
        #expect(frame[58] == 0xA0)
        var sum = InternetChecksum()
        sum.add(frame[22...])
        sum.add(UInt16(32))
        sum.add(UInt16(58))
        #expect(sum.value == 0)
    }

    @Test func `a burst, another after the delay, then refreshes`() {
        var settings = AnnouncementSchedule.Settings()
        settings.refresh = .seconds(60)
        var schedule = AnnouncementSchedule(settings)
        #expect(schedule.start(.becameMaster, at: t0) == 5)
        #expect(schedule.deadline == t0 + .seconds(5))
        #expect(schedule.due(at: t0 + .seconds(5)) == 5)
        #expect(schedule.deadline == t0 + .seconds(65))
        #expect(schedule.due(at: t0 + .seconds(65)) == 1)
        #expect(schedule.deadline == t0 + .seconds(125))
        schedule.stop()
        #expect(schedule.deadline == nil)
    }

    @Test func `a refresh that a reload adds begins at once, and ends when it is taken away`() {
        var schedule = AnnouncementSchedule()
        _ = schedule.start(.becameMaster, at: t0)
        _ = schedule.due(at: t0 + .seconds(5))
        #expect(schedule.deadline == nil)
        var settings = AnnouncementSchedule.Settings()
        settings.refresh = .seconds(1)
        schedule.adopt(settings, isMaster: true, at: t0 + .seconds(10))
        #expect(schedule.deadline == t0 + .seconds(11))
        schedule.adopt(AnnouncementSchedule.Settings(), isMaster: true, at: t0 + .seconds(12))
        #expect(schedule.deadline == nil)
        schedule.adopt(settings, isMaster: false, at: t0 + .seconds(13))
        #expect(schedule.deadline == nil)
    }

    @Test func `no delay means no second burst`() {
        var settings = AnnouncementSchedule.Settings()
        settings.becameMaster.delay = .zero
        var schedule = AnnouncementSchedule(settings)
        #expect(schedule.start(.becameMaster, at: t0) == 5)
        #expect(schedule.deadline == nil)
    }
}
