// JSON texts: the strict scan that stands before json-c, json-c itself, and the way back.
import JSON

/// What is accepted is written and reads back as the same value.
func fuzzJSON(_ input: UnsafeRawBufferPointer) {
    var index = JSONIndex()
    let scanned: Bool
    do throws(JSONError) {
        try index.scan(input)
        scanned = true
    } catch {
        scanned = false
    }
    guard let value = try? JSONValue(parsing: input) else { return }
    precondition(scanned, "json-c took what the scan refuses")
    guard let text = try? value.serialised() else { preconditionFailure("a value that was read cannot be written") }
    precondition((try? JSONValue(parsing: text)) == value)
}
