// Arguments and environment as execve wants them.
import Glibc

/// A NULL-terminated `char *[]` that lives as long as this object.
public final class CStringArray {
    /// The array.
    public let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    /// Copies of the strings.
    public init(_ strings: [String]) {
        count = strings.count
        pointers = .allocate(capacity: count + 1)
        for (index, string) in strings.enumerated() { pointers[index] = strdup(string) }
        pointers[count] = nil
    }

    deinit {
        for index in 0..<count { free(pointers[index]) }
        pointers.deallocate()
    }

    /// As `const char *[]`.
    public func withConstant<Result>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        let copies = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: count + 1)
        defer { copies.deallocate() }
        for index in 0...count { copies[index] = pointers[index].map { UnsafePointer($0) } }
        return try body(copies)
    }
}
