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

    /// What somebody may put where the number was, and the number that it then says; nil: nothing new.
    private enum Adversary: CaseIterable {
        case directory, fifo, loop, hole, noise, tooLarge, socket, device

        var number: Int? { self == .tooLarge ? nil : 0 }

        func put(at path: String) throws {
            // What says nothing new must not be a missing file in between, which says 0.
            if self != .tooLarge { unlink(path) }
            switch self {
            case .directory: mkdir(path, 0o755)
            case .fifo: mkfifo(path, 0o644)
            case .loop: symlink(path, path)
            case .hole:
                close(creat(path, 0o644))
                truncate(path, 1 << 40)
            case .noise: try FileSystem.replace(path, with: Array(repeating: 0xFF, count: 1 << 20), durable: false)
            case .tooLarge: try FileSystem.replace(path, with: Array(repeating: 0x39, count: 1 << 20), durable: false)
            case .socket: _ = try UnixSocket.listen(at: path, mode: 0o666)
            case .device: symlink("/dev/zero", path)
            }
        }
    }

    @Test func `whatever is put in the place of the file holds up nobody, and the next number counts`() throws {
        try write("4")
        try room.start(configuration(""))
        for adversary in Adversary.allCases {
            try write("4")
            try changes(to: 8)
            try adversary.put(at: path)
            try changes(to: adversary.number == nil ? 8 : nil)
            unlink(path)
            rmdir(path)
            try write("6")
            try changes(to: 12)
        }
        // A thousand numbers in a moment: the last one counts.
        for number in 1...1000 { try write("\(number)") }
        try changes(to: 2000)
        // The directory goes, and comes back.
        let elsewhere = room.directory + "/moved"
        #expect(room.checkd?.exit == nil)
        try room.configure(configuration("").replacing(path, with: room.directory + "/deep/number"))
        mkdir(room.directory + "/deep", 0o755)
        try FileSystem.replace(room.directory + "/deep/number", with: Array("3".utf8), durable: false)
        room.checkd?.signal(SIGHUP)
        try changes(to: 6)
        #expect(rename(room.directory + "/deep", elsewhere) == 0)
        try changes(to: nil)
        #expect(rename(elsewhere, room.directory + "/deep") == 0)
        try changes(to: 6)
    }

    @Test(arguments: ["current/number", "number"])
    func `a link that leads elsewhere is followed`(_ file: String) throws {
        // As a ConfigMap of Kubernetes is changed: a link is put in the place of another.
        for (directory, number) in [("one", "3"), ("two", "5")] {
            mkdir(room.directory + "/" + directory, 0o755)
            let path = room.directory + "/\(directory)/number"
            try FileSystem.replace(path, with: Array(number.utf8), durable: false)
        }
        let inside = file == "number" ? "/number" : ""
        let link = room.directory + "/" + file.prefix { $0 != "/" }
        symlink("one" + inside, link)
        try room.start(configuration("").replacing(path, with: room.directory + "/" + file))
        try changes(to: 6)
        symlink("two" + inside, link + ".new")
        #expect(rename(link + ".new", link) == 0)
        try changes(to: 10)
        try FileSystem.replace(room.directory + "/two/number", with: Array("7".utf8), durable: false)
        try changes(to: 14)
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
