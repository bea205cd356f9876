// keepalived.conf as a file with one include: the whole reader, from bytes to diagnostics for people.
import Configuration

/// The input as the main file, and once more as the file it may include.
private struct FuzzFiles: FileLoader {
    let bytes: [UInt8]

    func read(_ path: String, limit: Int) throws(FileLoaderError) -> [UInt8] {
        guard path == "main" || path == "part" else { throw FileLoaderError(reason: "no such file") }
        return path == "main" ? bytes : Array(bytes.suffix(bytes.count / 2))
    }

    func paths(matching pattern: String) -> [String] { pattern == "part" ? ["part"] : [] }
}

/// A configuration is given exactly when nothing is an error; what is said can be shown; the same bytes read the
/// same, which one input of eight shows.
func fuzzConfiguration(_ input: UnsafeRawBufferPointer) {
    var options = LoadOptions(configID: "left")
    options.limits.lines = 5000
    options.limits.lineBytes = 4096
    let files = FuzzFiles(bytes: Array(input))
    let loaded = Configuration.load(files: files, path: "main", options: options)
    precondition(loaded.hasErrors == loaded.diagnostics.contains { $0.severity == .error })
    for diagnostic in loaded.diagnostics { precondition(diagnostic.rendered().hasSuffix("\n")) }
    // Half of the time would go into this one invariant.
    guard input.count % 8 == 0 else { return }
    precondition(Configuration.load(files: files, path: "main", options: options) == loaded)
}
