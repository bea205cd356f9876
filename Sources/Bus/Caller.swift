// Who is behind a call. Between busd and a daemon the caller travels as one reverse-domain object, which busd refuses
// to take from a client and a daemon believes only because nobody but busd and root can reach its private socket.
public import JSON
public import Platform

/// The process that made a call, by its credentials at connect time.
public struct Caller: Hashable, Sendable {
    /// The member of a call that carries it.
    public static let member = "io.evenkeel.caller"

    /// The user.
    public var uid: Int
    /// The primary group.
    public var gid: Int
    /// For log lines only: a pid can be recycled.
    public var pid: Int

    /// A caller by its connection.
    public init(_ peer: PeerCredentials) {
        uid = Int(peer.uid)
        gid = Int(peer.gid)
        pid = Int(peer.pid)
    }

    /// The caller named in a call's extensions, or else the peer itself.
    init(extensions: JSONObject, peer: PeerCredentials) throws(JSONCodingError) {
        guard let object = extensions[Caller.member] else {
            self.init(peer)
            return
        }
        self = try object.decode()
    }
}

extension Caller: JSONStructure {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        uid = try members.required("uid")
        gid = try members.required("gid")
        pid = try members.required("pid")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 3)
        object.add("uid", uid)
        object.add("gid", gid)
        object.add("pid", pid)
        return object
    }
}
