// A certificate authority of a test: its own certificate, and those that it gives to servers and clients, made with openssl.
import Glibc
import Platform

/// Files of certificates below a room's directory.
struct Authority {
    /// A certificate with its key, both PEM files.
    struct Identity {
        let certificate: String
        let key: String
    }

    private let room: CheckRoom
    private let own: Identity

    /// What a client that trusts it is given.
    var certificate: String { own.certificate }

    /// An authority by a name, which also names its files.
    init(_ name: String = "ca", in room: CheckRoom) throws {
        self.room = room
        own = Self.files(name, in: room)
        try room.run(
            Self.request + ["-x509", "-days", "2", "-subj", "/CN=\(name)", "-keyout", own.key, "-out", own.certificate])
    }

    /// A certificate for names such as `DNS:one.test` and `IP:127.0.0.1`; with `days` below zero it is over already.
    func issue(_ name: String, for names: [String], days: Int = 2) throws -> Identity {
        let files = Self.files(name, in: room)
        let (request, extensions) = (files.certificate + ".request", files.certificate + ".extensions")
        try FileSystem.replace(
            extensions, with: Array("subjectAltName=\(names.joined(separator: ","))\n".utf8), durable: false)
        try room.run(Self.request + ["-subj", "/CN=\(name)", "-keyout", files.key, "-out", request])
        try room.run([
            "/usr/bin/openssl", "x509", "-req", "-in", request, "-CA", own.certificate, "-CAkey", own.key,
            "-CAcreateserial", "-days", "\(days)", "-extfile", extensions, "-out", files.certificate,
        ])
        return files
    }

    private static let request = [
        "/usr/bin/openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
    ]

    private static func files(_ name: String, in room: CheckRoom) -> Identity {
        Identity(certificate: "\(room.directory)/\(name).pem", key: "\(room.directory)/\(name).key")
    }
}
