// `lbctl serve`: metrics, health, events, the read methods and a status page over HTTP, for as long as it runs.
import ArgumentParser
import Glibc
import Net
import Platform

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve metrics, health, events and a status page over HTTP; nothing can be changed there.",
        discussion: """
              /             the status page              /metrics   for Prometheus
              /healthz      200, or 503 and why          /events    server-sent events
              /api          methods as JSON              /api/status   as 'lbctl status --json'

            It needs group evenkeel and no other right; evenkeel-serve.service runs it so. Beyond this host it wants a \
            certificate and a token: whoever asks shows it as 'Authorization: Bearer TOKEN', a browser as the password. A key or \
            token that others may read is not taken.

            Examples:
              lbctl serve
              curl -s http://127.0.0.1:9651/metrics
              curl -s 'http://127.0.0.1:9651/api/io.evenkeel.Vrrp.Show?name=VI_1'
              lbctl serve --listen 192.0.2.10:9651 --token-file token \\
                  --tls-certificate cert.pem --tls-key key.pem
            """)

    /// Where it listens when no option says otherwise.
    static let usual = "127.0.0.1:9651"

    @Option(help: ArgumentHelp("Where: ADDR:PORT or [ADDR]:PORT.", valueName: "address"))
    var listen = ServeCommand.usual

    @Option(
        help: ArgumentHelp("The server's certificate and what it depends on, PEM.", valueName: "file"),
        completion: .file())
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("Its key, PEM.", valueName: "file"), completion: .file())
    var tlsKey: String?

    @Option(
        help: ArgumentHelp("What whoever asks has to show: the first line of a file.", valueName: "file"),
        completion: .file())
    var tokenFile: String?

    @OptionGroup var bus: BusOptions

    func validate() throws {
        guard let endpoint = Endpoint(listen) else {
            throw ValidationError("--listen takes ADDR:PORT, such as \(Self.usual) or [::1]:9651.")
        }
        if (tlsCertificate == nil) != (tlsKey == nil) {
            throw ValidationError("--tls-certificate and --tls-key belong together.")
        }
        if !endpoint.address.isLoopback, tlsKey == nil || tokenFile == nil {
            throw ValidationError(
                "--listen beyond this host needs --tls-certificate, --tls-key and --token-file; or listen at \(Self.usual) "
                    + "behind a proxy that does that.")
        }
        if bus.direct { throw ValidationError("Events come from busd; --direct cannot get them.") }
    }

    func run() throws {
        guard let endpoint = Endpoint(listen) else { return }
        let certificate = try certificate()
        let site = Site(
            socket: bus.link.socket, timeout: bus.limit ?? .seconds(2), token: try tokenFile.map(Self.token))
        let loop = try EventLoop()
        // First of all: the threads of the server leave the signals to the loop.
        let signals = try SignalWatch([SIGTERM, SIGINT], on: loop) { _ in loop.stop() }
        let server = try WebServer(at: endpoint, certificate) { site.answer($0) }
        let scheme = certificate == nil ? "http" : "https"
        StandardError.say("serving at \(scheme)://\(server.endpoint)/")
        ServiceManager.notify(.ready)
        let keepAlive = ServiceManager.keepAlive(on: loop)
        try withExtendedLifetime((server, signals, keepAlive)) { try loop.run() }
        ServiceManager.notify(.stopping)
        // Whoever follows the events is not waited for.
        Glibc.exit(ExitStatus.done.rawValue)
    }

    private func certificate() throws(Failure) -> WebCertificate? {
        guard let tlsCertificate, let tlsKey else { return nil }
        return WebCertificate(chain: try Self.contents(of: tlsCertificate), key: try Self.secret(of: tlsKey))
    }

    private static func token(in file: String) throws(Failure) -> [UInt8] {
        let line = try secret(of: file).prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        guard line.count >= 16 else {
            throw .hostRefused(
                "\(file): a token has at least 16 characters",
                remedy: "(umask 077; head -c 24 /dev/urandom | base64 > \(file))")
        }
        return Array(line)
    }

    /// Refused where others may read or write it, as sshd and PostgreSQL refuse a key.
    private static func secret(of file: String) throws(Failure) -> [UInt8] {
        do throws(Errno) {
            return try FileSystem.groupSecret(of: file, limit: 1 << 20)
        } catch {
            guard error.code == EPERM else { throw unreadable(file, error) }
            throw .hostRefused(
                "\(file): others may read or write it, or it belongs to somebody else", remedy: "chown and chmod 600 it"
            )
        }
    }

    private static func unreadable(_ file: String, _ error: Errno) -> Failure {
        .hostRefused("\(file) cannot be read: \(error)", remedy: nil)
    }

    private static func contents(of file: String) throws(Failure) -> [UInt8] {
        do throws(Errno) {
            return try FileSystem.presentContents(of: file, limit: 1 << 20)
        } catch {
            throw unreadable(file, error)
        }
    }
}
