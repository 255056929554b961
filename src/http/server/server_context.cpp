#include "http/server/server_context.hpp"

#include "base/clock.hpp"
#include "http/incoming_body.hpp"
#include "http/server/server_connection.hpp"

namespace meridian::http {

void RequestMemory::DetachHead() {
  if (head_bytes == 0) return;
  const char* from = in.text().data();
  head_text.assign(from, head_bytes);
  head.Rebase(from, head_bytes, head_text.data());
  in.Consume(head_bytes);
  head_bytes = 0;
}

void RequestMemory::EndExchange() {
  in.Consume(head_bytes);
  head_bytes = 0;
  body.Settle(in);
  out.Truncate(0);
}

void RequestMemory::Clear() {
  head_bytes = 0;
  EndIncoming(in);
  out.Truncate(0);
  parser.Reset();
}

TimePoint WaitingConnections::oldest_since() const {
  return first_ == nullptr ? kNever : first_->waits_since_;
}

void WaitingConnections::Add(ServerConnection& connection) {
  ++size_;
  connection.waits_in_ = this;
  connection.waits_since_ = connection.context_.loop.Now();
  connection.previous_waiting_ = last_;
  connection.next_waiting_ = nullptr;
  (last_ == nullptr ? first_ : last_->next_waiting_) = &connection;
  last_ = &connection;
}

void WaitingConnections::Remove(ServerConnection& connection) {
  if (connection.waits_in_ != this) return;
  --size_;
  connection.waits_in_ = nullptr;
  ServerConnection* previous = connection.previous_waiting_;
  ServerConnection* next = connection.next_waiting_;
  (previous == nullptr ? first_ : previous->next_waiting_) = next;
  (next == nullptr ? last_ : next->previous_waiting_) = previous;
}

bool WaitingConnections::EvictOldest() {
  for (ServerConnection* each = first_; each != nullptr; each = each->next_waiting_) {
    if (each->CloseIfWaiting()) return true;
  }
  return false;
}

}  // namespace meridian::http
