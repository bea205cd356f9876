// A value that does not have the shape a Swift type asks for. The path names the place in the words of the wire, which
// is what Varlink's InvalidParameter wants.

/// Where and why a JSON value and a Swift type do not fit.
public struct JSONCodingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Member names and `[index]`es from the outermost value inwards: `events[0].type`.
    public let path: String
    /// What was found or wanted there.
    public let problem: String

    /// An error at a place.
    public init(path: String, problem: String) {
        self.path = path
        self.problem = problem
    }

    public var description: String { path.isEmpty ? problem : "\(path): \(problem)" }
}

extension JSONCodingError {
    init(path: [any CodingKey], problem: String) {
        var text = ""
        for key in path {
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += (text.isEmpty ? "" : ".") + key.stringValue
            }
        }
        self.init(path: text, problem: problem)
    }

    /// What user code or the standard library threw while coding, in our words.
    init(_ error: any Error) {
        switch error {
        case let error as JSONCodingError: self = error
        case DecodingError.keyNotFound(let key, let context):
            self.init(path: context.codingPath + [key], problem: "missing")
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
            DecodingError.dataCorrupted(let context):
            self.init(path: context.codingPath, problem: context.debugDescription)
        case EncodingError.invalidValue(_, let context):
            self.init(path: context.codingPath, problem: context.debugDescription)
        default: self.init(path: "", problem: String(describing: error))
        }
    }
}

extension JSONValue {
    /// This value as a Swift type.
    public func decode<Decoded: Decodable>(_ type: Decoded.Type = Decoded.self) throws(JSONCodingError) -> Decoded {
        do {
            return try ValueDecoder(value: self, codingPath: []).unwrap(type)
        } catch {
            throw JSONCodingError(error)
        }
    }

    /// A Swift value as JSON. Members whose value is nil are left out.
    public init(encoding value: some Encodable) throws(JSONCodingError) {
        do {
            self = try ValueEncoder.encode(value, at: [])
        } catch {
            throw JSONCodingError(error)
        }
    }
}

/// A member name or an index in a coding path.
struct PathKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(_ index: Int) {
        stringValue = String(index)
        intValue = index
    }

    init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }

    init(intValue: Int) {
        self.init(intValue)
    }
}

extension JSONValue: Codable {
    public init(from decoder: any Decoder) throws {
        guard let decoder = decoder as? ValueDecoder else {
            throw JSONCodingError(path: decoder.codingPath, problem: "JSONValue is read by this module's decoder only")
        }
        self = decoder.value
    }

    public func encode(to encoder: any Encoder) throws {
        guard let encoder = encoder as? ValueEncoder else {
            throw JSONCodingError(
                path: encoder.codingPath, problem: "JSONValue is written by this module's encoder only")
        }
        encoder.result = .value(self)
    }
}
