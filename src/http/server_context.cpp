#include "http/server_context.hpp"

#include "http/incoming_body.hpp"
#include "http/server_connection.hpp"

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

void IdleConnections::Add(ServerConnection& connection) {
  connection.idle_ = true;
  connection.previous_idle_ = last_;
  connection.next_idle_ = nullptr;
  (last_ == nullptr ? first_ : last_->next_idle_) = &connection;
  last_ = &connection;
}

void IdleConnections::Remove(ServerConnection& connection) {
  if (!connection.idle_) return;
  connection.idle_ = false;
  ServerConnection* previous = connection.previous_idle_;
  ServerConnection* next = connection.next_idle_;
  (previous == nullptr ? first_ : previous->next_idle_) = next;
  (next == nullptr ? last_ : next->previous_idle_) = previous;
}

bool IdleConnections::CloseLongest() {
  for (ServerConnection* each = first_; each != nullptr; each = each->next_idle_) {
    if (each->CloseIfIdle()) return true;
  }
  return false;
}

}  // namespace meridian::http
