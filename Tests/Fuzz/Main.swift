// Every decoder of the suite under libFuzzer: `fuzz NAME [libFuzzer's options] [corpus]…`. Built and run by deploy/fuzz,
// which instruments all modules; not part of ordinary builds. An entry decodes its input, and where decoding succeeds
// checks what must hold then: a value that was read can be written and reads back the same. A broken invariant traps, and
// libFuzzer keeps the input.
import Glibc

/// What libFuzzer calls for every input; the result 0 keeps the input if it is interesting.
typealias FuzzFunction = @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32

/// libFuzzer as a library: runs until its options say stop.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ count: UnsafeMutablePointer<Int32>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CMutableArguments>>,
    _ function: FuzzFunction
) -> Int32

private typealias CMutableArguments = UnsafeMutablePointer<CChar>?

@main
enum Fuzz {
    /// The names taken by `deploy/fuzz`; each has its seeds in corpus/NAME.
    static func entry(_ name: String) -> FuzzFunction? {
        switch name {
        case "advertisement":
            return { fuzz($0, $1, fuzzAdvertisement) }
        case "varlink":
            return { fuzz($0, $1, fuzzVarlinkStream) }
        case "json":
            return { fuzz($0, $1, fuzzJSON) }
        case "interface":
            return { fuzz($0, $1, fuzzInterface) }
        case "configuration":
            return { fuzz($0, $1, fuzzConfiguration) }
        default:
            return nil
        }
    }

    static func main() {
        let name = CommandLine.arguments.dropFirst().first ?? ""
        guard let function = entry(name) else {
            let usage = "usage: fuzz NAME [libFuzzer options] [corpus directory]…  (see deploy/fuzz)\n"
            _ = write(STDERR_FILENO, usage, usage.utf8.count)
            exit(2)
        }
        // libFuzzer sees the arguments without NAME.
        var arguments = CommandLine.arguments.enumerated().filter { $0.offset != 1 }.map { strdup($0.element) } + [nil]
        var count = Int32(arguments.count - 1)
        let result = arguments.withUnsafeMutableBufferPointer { buffer -> Int32 in
            guard var start = buffer.baseAddress else { return 2 }
            return withUnsafeMutablePointer(to: &start) { runFuzzer(&count, $0, function) }
        }
        exit(result)
    }
}

/// Hands libFuzzer's octets to an entry.
private func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int, _ body: (UnsafeRawBufferPointer) -> Void) -> Int32 {
    body(UnsafeRawBufferPointer(start: start, count: count))
    return 0
}
