// JSON texts: the strict scan, values from its nodes, and the way back through json-c.
import JSON

/// What is accepted is written and reads back as the same value.
func fuzzJSON(_ input: UnsafeRawBufferPointer) {
    guard let value = try? JSONValue(parsing: input) else { return }
    guard let text = try? value.serialised() else { preconditionFailure("a value that was read cannot be written") }
    precondition((try? JSONValue(parsing: text)) == value)
}
