// FILE_CHECK with real files: the weight follows the number, and the verdict where there is no weight, at once; a restart keeps both.
import Bus
import Glibc
import Platform
import Testing

@Suite(.serialized, .timeLimit(.minutes(2)))
struct CheckFileTests {
    private let room: CheckRoom
    private let path: String

    init() throws {
        room = try CheckRoom()
        path = room.directory + "/number"
    }

    private func write(_ text: String) throws {
        try FileSystem.replace(path, with: Array(text.utf8), durable: false)
    }

    private func configuration(_ words: String) -> String {
        "track_file load {\n file \"\(path)\"\n weight 2\n}\n"
            + virtualServer(
                ["FILE_CHECK {\n track_file load\n \(words)\n}"], delay: "3600", warmup: "60", more: "alpha")
    }

    private func changes(to change: Int?) throws {
        try room.eventually("the weight changes by \(change ?? 0)") {
            let server = try room.list()[realServer(1)]
            return server?.state == .up && server?.weightChange == change
        }
    }

    @Test func `the weight follows the number at once, and outlives a restart`() throws {
        try write("4")
        try room.start(configuration(""))
        try changes(to: 8)
        try write("-1")
        try changes(to: -2)
        unlink(path)
        try changes(to: nil)
        try write("10")
        try changes(to: 20)
        try room.eventually("it is kept") { room.savedVerdicts.contains(#""weightChange":20"#) }
        try room.end(SIGKILL)
        try write("11")
        try room.restart()
        try changes(to: 22)
        try room.configure(configuration("weight 1 reverse"))
        room.checkd?.signal(SIGHUP)
        try changes(to: -11)
    }

    @Test func `with weight 0 the number is the verdict`() throws {
        try write("0")
        try room.start(configuration("").replacing("weight 2", with: "weight 0"))
        try changes(to: nil)
        try write("1")
        #expect(try room.becomes(realServer(1), .down).reason == "FILE_CHECK load: the file says 1")
        try write("0")
        _ = try room.becomes(realServer(1), .up)
    }
}
