// The files of deploy/monitoring: whether those who are to read them can. That what they name is served is in MetricsTests.
import Foundation
import Glibc
import JSON
import Platform
import Testing

struct MonitoringTests {
    private static let folder =
        #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 } + "/deploy/monitoring/"

    /// A file of deploy/monitoring.
    static func contents(_ file: String) throws -> [UInt8] {
        let octets = try FileSystem.contents(of: folder + file, limit: 1 << 20)
        return try #require(octets)
    }

    /// promtool comes with Debian's prometheus, which is not a prerequisite of the tests: 100 MB.
    @Test(.enabled(if: access("/usr/bin/promtool", X_OK) == 0)) func `promtool takes the alert rules`() throws {
        let checked = try Program.run("/usr/bin/promtool", ["check", "rules", Self.folder + "evenkeel.rules.yml"])
        #expect(checked.status == 0, "\(checked.output)\(checked.errors)")
    }
}
