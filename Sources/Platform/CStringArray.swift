// Strings for C: arguments and environment as execve wants them, or the members of a struct.
import Glibc

/// A NULL-terminated `char *[]` that lives as long as this object.
public final class CStringArray {
    /// The array.
    public let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    /// Copies of the strings; NULL for nil.
    public init(_ strings: [String?]) {
        count = strings.count
        pointers = .allocate(capacity: count + 1)
        for (index, string) in strings.enumerated() { pointers[index] = string.flatMap { strdup($0) } }
        pointers[count] = nil
    }

    deinit {
        for index in 0..<count { free(pointers[index]) }
        pointers.deallocate()
    }

    /// One of them, as `const char *`.
    public subscript(index: Int) -> UnsafePointer<CChar>? { pointers[index].map { UnsafePointer($0) } }

    /// As `const char *[]`.
    public func withConstant<Result, Problem>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>) throws(Problem) -> Result
    ) throws(Problem) -> Result {
        let copies = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: count + 1)
        defer { copies.deallocate() }
        for index in 0...count { copies[index] = pointers[index].map { UnsafePointer($0) } }
        return try body(copies)
    }
}
