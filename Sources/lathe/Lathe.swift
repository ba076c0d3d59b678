import ArgumentParser
import CMalloc
import Glibc
import Jobs
import Workflows

@main
struct Lathe: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lathe",
    abstract: "A workbench for quantizing neural networks.",
    discussion: "Without a command it opens the workbench; without a model, on the bundled sample.",
    version: Version.text,
    subcommands: [
      WorkbenchCommand.self, Inspect.self, Run.self, Compare.self, Quantize.self, Sensitivity.self,
      Search.self, WhatIfCommand.self, BlameCommand.self, Advise.self, Diff.self, Export.self, Bench.self,
      Generate.self,
      ListPresets.self, ListThemes.self, ListKeys.self, ListPaths.self,
    ],
    defaultSubcommand: WorkbenchCommand.self)

  /// Exit status: 0 done, 1 the work failed, 64 argument error, 130 interrupted.
  static func main() {
    signal(SIGPIPE, SIG_IGN)
    // What tensors take goes back to the system when they end, instead of staying in a heap that grows with every layer:
    // GPTQ of a transformer peaks at 307 MB for 433 MB, and takes a tenth longer.
    mallopt(M_MMAP_THRESHOLD, 256 << 10)
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch is JobCancelled {
      Output.error("interrupted")
      Glibc.exit(130)
    } catch let error as ExitCode {
      Glibc.exit(error.rawValue)
    } catch  where Self.isArgumentError(error) {
      exit(withError: error)
    } catch {
      Output.error("\(error)")
      Glibc.exit(1)
    }
  }

  /// Whether ArgumentParser itself has something to say: help, version, or what is wrong with the arguments.
  private static func isArgumentError(_ error: any Error) -> Bool {
    let code = exitCode(for: error)
    return code == .success || code == .validationFailure || error is CleanExit || error is ValidationError
  }
}
