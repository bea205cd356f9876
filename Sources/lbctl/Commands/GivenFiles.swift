// Configurations that a command's argument names.
import Configuration
import Platform

/// Files of the disk, and `-`, which is standard input.
struct GivenFiles: FileLoader {
    static let standardInput = "-"
    /// Read once: a command may look at it twice.
    static let input = Result { () throws(Failure) in try StandardInput.all(limit: 64 << 20) }

    private let disk = DiskFiles()

    func read(_ path: String, limit: Int) throws(FileLoaderError) -> [UInt8] {
        guard path == Self.standardInput else { return try disk.read(path, limit: limit) }
        do throws(Failure) {
            let octets = try Self.input.get()
            guard octets.count <= limit else { throw .usage("more than \(limit) octets") }
            return octets
        } catch {
            throw FileLoaderError(reason: error.description)
        }
    }

    func paths(matching pattern: String) throws(FileLoaderError) -> [String] { try disk.paths(matching: pattern) }
}
