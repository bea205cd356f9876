// A screen that is drawn again and again until the person ends it with q or Ctrl-C: on the terminal's other page, so that what was there before
// is there again afterwards.
import Glibc
import Platform

final class LiveScreen {
    private let loop: EventLoop
    private let before: termios
    /// Gives the lines for a terminal of such a size.
    private let frame: (_ columns: Int, _ lines: Int) -> [String]
    /// How long the screen stands after it was drawn.
    private let pause: () -> Duration
    private var timer: LoopTimer?
    private var signals: SignalWatch?
    private var keys: Watch?

    /// nil where standard input and output are no terminal whose cursor can be moved.
    init?(frame: @escaping (_ columns: Int, _ lines: Int) -> [String], pause: @escaping () -> Duration) throws(Errno) {
        var settings = termios()
        guard Terminal.size() != nil, Environment.value("TERM") ?? "dumb" != "dumb",
            tcgetattr(STDIN_FILENO, &settings) == 0
        else { return nil }
        before = settings
        loop = try EventLoop()
        (self.frame, self.pause) = (frame, pause)
    }

    /// Returns when the person, or a signal, ends it.
    func run() throws(Errno) {
        var settings = before
        // Keys at once and unseen; Ctrl-C is a key too, so that the terminal is put right in any case.
        settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        tcsetattr(STDIN_FILENO, TCSANOW, &settings)
        StandardOutput.write("\u{1B}[?1049h\u{1B}[?25l")
        defer {
            StandardOutput.write("\u{1B}[?25h\u{1B}[?1049l")
            var before = before
            tcsetattr(STDIN_FILENO, TCSANOW, &before)
        }
        timer = loop.timer { [unowned self] in draw() }
        signals = try SignalWatch([SIGWINCH, SIGTERM, SIGHUP], on: loop) { [unowned self] signal in
            if signal == SIGWINCH { draw() } else { loop.stop() }
        }
        keys = try loop.watch(STDIN_FILENO, .read) { [unowned self] _ in readKeys() }
        draw()
        try loop.run()
    }

    private func readKeys() {
        var octets = [UInt8](repeating: 0, count: 64)
        let count = read(STDIN_FILENO, &octets, octets.count)
        // 3: Ctrl-C.
        let ends: [UInt8] = [UInt8(ascii: "q"), UInt8(ascii: "Q"), 3]
        if count <= 0 || octets.prefix(count).contains(where: { ends.contains($0) }) { loop.stop() }
    }

    private func draw() {
        guard let size = Terminal.size() else { return loop.stop() }
        // Each line is written over the one that was there; nothing flickers.
        let lines = frame(size.columns, size.lines).prefix(size.lines).map { $0 + "\u{1B}[K" }
        StandardOutput.write("\u{1B}[H" + lines.joined(separator: "\r\n") + "\u{1B}[J")
        loop.refreshNow()
        timer?.arm(after: pause())
    }
}
