import Tensors

/// Carries values from threads that work to the one that draws.
///
/// `wake` is called only when the box was empty, so a burst of messages costs one wake-up.
package final class Mailbox<Message: Sendable>: Sendable {
  private let messages = Locked<[Message]>([])
  private let wake: @Sendable () -> Void

  package init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

  package func post(_ message: Message) {
    let wasEmpty = messages.withLock { box in
      defer { box.append(message) }
      return box.isEmpty
    }
    if wasEmpty { wake() }
  }

  /// Everything posted since the last call, in order.
  package func drain() -> [Message] {
    messages.withLock { box in
      defer { box.removeAll(keepingCapacity: true) }
      return box
    }
  }
}
