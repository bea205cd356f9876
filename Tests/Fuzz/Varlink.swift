// The bus's wire: framing over arbitrary reads, the outer members of calls, replies, and interface definitions.
import JSON
import Varlink

/// A stream of octets. The first octet is the length of every read: the messages must not depend on it.
func fuzzVarlinkStream(_ input: UnsafeRawBufferPointer) {
    guard let first = input.first else { return }
    let stream = UnsafeRawBufferPointer(rebasing: input.dropFirst())
    let whole = messages(of: stream, readLength: max(stream.count, 1))
    precondition(whole == messages(of: stream, readLength: Int(first) + 1), "messages depend on how they arrive")
    for message in whole {
        if let call = try? VarlinkCall(parsing: message[...]) { check(call) }
        if let reply = try? VarlinkReply(parsing: message[...]) { check(reply) }
    }
}

/// The text of an interface; what was parsed once is parsed again from its own text.
func fuzzInterface(_ input: UnsafeRawBufferPointer) {
    let text = String(decoding: input, as: UTF8.self)
    guard let definition = try? InterfaceDefinition(parsing: text) else { return }
    precondition((try? InterfaceDefinition(parsing: definition.text)) == definition)
}

private func messages(of stream: UnsafeRawBufferPointer, readLength: Int) -> [[UInt8]] {
    // A small limit, so that it is reached by small inputs.
    var framer = VarlinkFramer(limit: 512)
    var found: [[UInt8]] = []
    var rest = stream[...]
    while !rest.isEmpty {
        framer.append(UnsafeRawBufferPointer(rebasing: rest.prefix(readLength)))
        rest = rest.dropFirst(readLength)
        do throws(VarlinkProtocolError) {
            while let message = try framer.next() { found.append(Array(message)) }
        } catch {
            return found
        }
    }
    return found
}

private func check(_ call: VarlinkCall) {
    guard let text = try? call.encoded() else { preconditionFailure("a call that was read cannot be written") }
    precondition((try? VarlinkCall(parsing: text.dropLast())) == call)
}

private func check(_ reply: VarlinkReply) {
    guard let text = try? reply.encoded() else { preconditionFailure("a reply that was read cannot be written") }
    precondition((try? VarlinkReply(parsing: text.dropLast())) == reply)
}
