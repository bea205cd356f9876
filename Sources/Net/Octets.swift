extension Collection<UInt8> {
    /// Calls `body` with the octets where they are, or with a copy of those that are nowhere in one piece.
    @inlinable
    func withOctets<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withContiguousStorageIfAvailable { body(UnsafeRawBufferPointer($0)) } ?? Array(self).withUnsafeBytes(body)
    }
}
