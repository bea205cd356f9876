// While lbctl waits for the next event, the program that reads its output may go away; without this it would be noticed
// only at the next event, and `lbctl events | head -1` would linger.
import Glibc

/// Ends the program when nobody reads standard output any more.
enum ReaderWatch {
    /// Watches in the background. The kernel reports a pipe without a reader as an error condition of the pipe.
    static func start() {
        var thread = pthread_t()
        let watch: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { _ in
            var output = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
            while poll(&output, 1, -1) < 0, errno == EINTR {}
            if output.revents & Int16(POLLERR) != 0 { StandardOutput.endBySIGPIPE() }
            return nil
        }
        pthread_create(&thread, nil, watch, nil)
    }
}
