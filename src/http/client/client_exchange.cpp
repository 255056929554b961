#include "http/client/client_exchange.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/client/client.hpp"
#include "http/client/client_connection.hpp"
#include "http/client/client_exchange_state.hpp"
#include "http/exchange.hpp"
#include "http/incoming_body.hpp"
#include "http/limits.hpp"
#include "io/task.hpp"
#include "wire/http/head_cursor.hpp"
#include "wire/http/message.hpp"
#include "wire/http/parse_error.hpp"

namespace meridian::http {

using OutcomeState = wire::http::HeadOutcome::State;

void ClientExchange::StateDeleter::operator()(State* state) const {
  bool reusable = state->IsReusable();
  // The reset tells a server that still works on the request that no client waits. A plain end
  // would only mean that no further request follows.
  if (!state->IsOver()) state->connection->stream->Abort();
  state->client.Release(std::move(state->connection), reusable);
  delete state;
}

bool ClientExchange::State::IsReusable() const {
  const wire::http::ResponseHead& head = connection->memory->head;
  return IsOver() && head.keep_alive && head.status != 101;
}

bool ClientExchange::State::IsOver() const {
  return writer.complete() && final_head && !failed && connection->memory->body.ended();
}

ClientExchange::ClientExchange(std::unique_ptr<State, StateDeleter> state)
    : state_(std::move(state)) {}

ClientExchange::~ClientExchange() = default;

io::Task<Result<void>> ClientExchange::Write(Bytes data) { return state_->writer.Write(data); }

io::Task<Result<void>> ClientExchange::Finish(Bytes last, wire::http::FieldsView trailers) {
  return state_->writer.Finish(last, trailers);
}

io::Task<Result<const wire::http::ResponseHead*>> ClientExchange::ReadHead(TimePoint until) {
  return state_->ReadHead(until);
}

io::Task<Result<const wire::http::ResponseHead*>> ClientExchange::State::ReadHead(TimePoint until) {
  ResponseMemory& memory = *connection->memory;
  if (final_head) co_return Fail(Errc::kInvalid, "the response's head was read already");
  if (head_deadline == kNever) head_deadline = loop.After(limits.head_timeout);
  for (;;) {
    wire::http::HeadOutcome outcome =
        memory.parser.Parse(memory.in.text(), request_kind, &memory.head);
    if (outcome.state == OutcomeState::kDone) {
      memory.DetachHead(outcome.consumed);
      break;
    }
    if (outcome.state == OutcomeState::kError) {
      failed = true;
      co_return Fail(Errc::kInvalid, "response: {}", Describe(outcome.error));
    }
    uint64_t sent_before = writer.sent_bytes();
    Result<size_t> got = co_await connection->stream->Read(SpaceToRead(memory.in, kReadBytes),
                                                           std::min(head_deadline, until));
    if (!got && got.error().code == Errc::kTimeout) {
      if (until < head_deadline) co_return Fail(std::move(got.error()));
      if (writer.sent_bytes() > sent_before) {
        // While the upload makes progress, the server is not considered silent.
        head_deadline = loop.After(limits.head_timeout);
        continue;
      }
    }
    if (!got || *got == 0) {
      failed = true;
      if (!got) co_return Fail(std::move(got.error()));
      co_return Fail(Errc::kReset, "the connection ended before the response's head");
    }
    memory.in.Commit(*got);
  }
  if (memory.head.is_interim()) {
    head_deadline = kNever;
    if (++interim_count <= kMaxInterimResponses) co_return &memory.head;
    failed = true;
    co_return Fail(Errc::kTooLarge, "more than {} interim responses", kMaxInterimResponses);
  }
  final_head = true;
  memory.body.Begin(memory.head.body, limits.max_body_bytes);
  co_return &memory.head;
}

const wire::http::ResponseHead& ClientExchange::head() const {
  return state_->connection->memory->head;
}

io::Task<Result<Bytes>> ClientExchange::ReadBody() { return state_->ReadBody(); }

io::Task<Result<Bytes>> ClientExchange::State::ReadBody() {
  ResponseMemory& memory = *connection->memory;
  Result<Bytes> data =
      co_await memory.body.Next(loop, *connection->stream, memory.in, limits.body_timeout);
  if (!data) failed = true;
  co_return data;
}

Result<Bytes> ClientExchange::BodyAtHand() {
  ResponseMemory& memory = *state_->connection->memory;
  Result<Bytes> data = memory.body.Take(memory.in);
  if (!data) state_->failed = true;
  return data;
}

bool ClientExchange::body_ended() const { return state_->connection->memory->body.ended(); }

const wire::http::HeaderFields& ClientExchange::trailers() const {
  return state_->connection->memory->body.trailers();
}

Upgraded ClientExchange::TakeUpgraded() {
  CHECK(head().status == 101);
  return {*state_->connection->stream, state_->connection->memory->in};
}

void ClientExchange::Abort() {
  state_->failed = true;
  state_->connection->stream->Abort();
}

void ClientExchange::Keep(std::shared_ptr<void> what) { state_->kept = std::move(what); }

bool ClientExchange::reused() const { return state_->connection->reused; }

}  // namespace meridian::http
