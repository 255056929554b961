#include "session/connection.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "session/engine/client.hpp"
#include "session/engine/engine.hpp"
#include "session/limits.hpp"
#include "session/replication/acknowledgements.hpp"
#include "session/replication/change_journal.hpp"
#include "wire/resp/first_key.hpp"
#include "wire/resp/limits.hpp"
#include "wire/resp/reply_writer.hpp"
#include "wire/resp/request_parser.hpp"

namespace meridian::session {
namespace {

using wire::resp::RequestOutcome;

// Buffers larger than this are freed after they were sent.
constexpr size_t kKeptOutputBytes = 2 * kFlushReplyBytes;

}  // namespace

Connection::Connection(const Parts& parts, std::unique_ptr<io::Stream> stream)
    : parts_(parts),
      stream_(std::move(stream)),
      client_(parts.engine.NextClientId(), *this),
      input_(wire::resp::RequestLimits().max_request_bytes + kReadBytes),
      messengers_(parts.loop),
      waiting_(parts.loop) {
  client_.address = stream_->peer().ToString();
  client_.local_address = stream_->local().ToString();
  client_.connected_at = client_.active_at = parts_.loop.Now();
  client_.authenticated = parts_.engine.options().passwords.empty();
  NoteAuthentication();
  parts_.engine.AddClient(client_);
  ++parts_.engine.statistics().connections;
}

Connection::~Connection() {
  if (!authenticated_) parts_.unauthenticated.Remove(arrival_);
  parts_.engine.RemoveClient(client_);
}

void Connection::NoteAuthentication() {
  if (client_.authenticated == authenticated_) return;
  authenticated_ = client_.authenticated;
  if (authenticated_) {
    parser_.set_limits({});
    parts_.unauthenticated.Remove(arrival_);
  } else {
    parser_.set_limits(wire::resp::kUnauthenticatedLimits);
    arrival_ = {parts_.loop.Now(), client_.id};
    parts_.unauthenticated.Add(*this, arrival_);
  }
}

void Connection::EndUnauthenticated(std::string_view error) {
  ended_unauthenticated_ = client_.closing = true;
  Bytes bytes = AsBytes(error);
  if (client_.output.empty() && !sends_) (void)stream_->TryWrite({&bytes, 1});
  Disconnect();
}

void Connection::Disconnect() {
  failed_ = true;
  stream_->Close();
}

void Connection::Leave() {
  leaving_ = true;
  if (reads_ && !sends_ && Idle()) Disconnect();
}

void Connection::Cut() {
  client_.closing = true;
  waiting_.Cancel();
  if (reads_) Disconnect();
}

void Connection::OnMessages() {
  if (!has_messenger_) {
    has_messenger_ = true;
    messengers_.Spawn(SendMessages());
  }
  messages_.WakeOne();
}

io::Task<void> Connection::Run() {
  co_await Serve();
  // No message follows, and the messenger ends.
  parts_.engine.subscriptions().Forget(client_);
  messengers_.Cancel();
  co_await messengers_.Join();
}

io::Task<void> Connection::Serve() {
  while (!client_.closing && !(leaving_ && Idle())) {
    reads_ = true;
    Result<void> readable = co_await stream_->Readable();
    reads_ = false;
    Bytes arrived;
    if (!readable || !Read(&arrived)) co_return;
    if (IsWorthStaging(arrived)) {
      if (!input_.Append(arrived)) co_return;
      arrived = {};
      prefetched_ = Prefetch(input_.text());
      co_await io::AfterOthers{};
      if (failed_) co_return;
    }
    const TimePoint read_at = parts_.loop.Now();
    const uint64_t before = parts_.engine.statistics().commands;
    if (!ExecuteArrived(arrived)) co_return;
    const uint64_t commands = parts_.engine.statistics().commands - before;
    if (!SendAtOnce() && !co_await Answer()) co_return;
    // What did not fit with the replies before.
    while (!client_.closing && !input_.empty() && parser_.min_bytes() <= input_.size()) {
      size_t used = Execute(input_.text());
      input_.Consume(used);
      if (!SendAtOnce() && !co_await Answer()) co_return;
      if (used == 0) break;
    }
    input_.ReleaseIfEmpty();
    if (parts_.metrics != nullptr) {
      parts_.metrics->Add(client_.last_command, commands, parts_.loop.driver().Now() - read_at);
    }
  }
  co_await Linger();
}

bool Connection::Read(Bytes* arrived) {
  bool shared = input_.empty();
  size_t missing = std::max(parser_.min_bytes(), input_.size() + 1) - input_.size();
  MutableBytes space = shared ? parts_.shared_input : input_.Prepare(std::max(missing, kReadBytes));
  Result<size_t> got = stream_->TryRead(space);
  if (!got || *got == 0) return false;
  if (*got == io::Stream::kBlocked) return true;
  parts_.engine.statistics().read_bytes += *got;
  client_.active_at = parts_.loop.Now();
  if (shared) {
    *arrived = space.first(*got);
  } else {
    input_.Commit(*got);
  }
  return true;
}

// The memory that these requests need is prefetched while other connections are read.
bool Connection::IsWorthStaging(Bytes arrived) const {
  return !arrived.empty() && arrived.size() <= kStagedBytes && parts_.loop.others_ready();
}

bool Connection::ExecuteArrived(Bytes arrived) {
  if (arrived.empty()) {
    // A long argument that is still arriving cannot be executed.
    if (input_.size() >= parser_.min_bytes()) input_.Consume(Execute(input_.text()));
    return true;
  }
  size_t used = Execute(AsText(arrived));
  return client_.closing || input_.Append(arrived.subspan(used));
}

size_t Connection::Prefetch(std::string_view input) {
  std::string_view rest = input;
  for (size_t i = 0; i < kMaxPrefetches && !rest.empty(); ++i) {
    std::string_view key = wire::resp::TakeFirstKey(&rest);
    if (!key.empty()) parts_.engine.Prefetch(key);
  }
  return input.size() - rest.size();
}

size_t Connection::Execute(std::string_view input) {
  parts_.engine.BeginBatch();
  size_t used = 0;
  size_t prefetched = std::exchange(prefetched_, 0);
  while (used < input.size() && !client_.closing && !client_.wait && !client_.long_reply &&
         client_.output.size() < kFlushReplyBytes) {
    RequestOutcome outcome = parser_.Parse(input.substr(used));
    if (outcome.state == RequestOutcome::State::kNeedMore) break;
    if (outcome.state == RequestOutcome::State::kError) {
      RefuseRequest(outcome);
      return input.size();
    }
    used += outcome.consumed;
    if (used < input.size() && used >= prefetched) {
      prefetched = used + Prefetch(input.substr(used));
      parts_.engine.FinishPrefetches();
    }
    if (!parser_.arguments().empty()) parts_.engine.Execute(client_, parser_.arguments());
    NoteAuthentication();
  }
  return used;
}

void Connection::RefuseRequest(const RequestOutcome& outcome) {
  wire::resp::ReplyWriter reply(&client_.output, client_.version);
  reply.Error("ERR " + wire::resp::ProtocolErrorText(outcome));
  client_.closing = true;
}

bool Connection::SendAtOnce() {
  if (sends_ || failed_ || client_.wait || client_.long_reply) return false;
  if (client_.awaited_offset > parts_.engine.journal().durable_end_offset())
    return client_.output.empty();
  if (client_.output.empty()) return true;
  Bytes replies = client_.output.readable();
  Result<size_t> sent = stream_->TryWrite({&replies, 1});
  // The fiber that reads from the peer finds the error.
  if (!sent || *sent == io::Stream::kBlocked) return false;
  parts_.engine.statistics().written_bytes += *sent;
  client_.output.Consume(*sent);
  if (client_.output.capacity() > kKeptOutputBytes) client_.output.ReleaseIfEmpty();
  return client_.output.empty();
}

io::Task<bool> Connection::Send() {
  while (!failed_ && (!client_.output.empty() || sends_)) {
    if (!sends_) {
      if (!co_await SendOnce()) failed_ = true;
      sent_.WakeAll();
    } else if (!co_await sent_.Wait()) {
      failed_ = true;
    }
  }
  co_return !failed_;
}

io::Task<bool> Connection::Answer() {
  if (!client_.output.empty() && !co_await Send()) co_return false;
  while (client_.long_reply) {
    parts_.engine.ContinueReply(client_);
    if (!client_.output.empty() && !co_await Send()) co_return false;
    if (client_.closing) co_return false;
    // Other connections are served between.
    if (client_.long_reply && !co_await io::Sleep(Duration::zero())) co_return false;
  }
  if (!client_.wait) co_return true;
  TimePoint deadline = parts_.loop.After(client_.wait->timeout);
  acknowledgements_ = 0;
  if (parts_.engine.acknowledgements() != nullptr) {
    waiting_.Spawn(AwaitAcknowledgements(deadline));
    co_await waiting_.Join();
  }
  client_.wait.reset();
  wire::resp::ReplyWriter reply(&client_.output, client_.version);
  reply.Integer(static_cast<int64_t>(acknowledgements_));
  co_return co_await Send();
}

// In a fiber of its own, so that Drain can interrupt it and the WAIT is still answered.
io::Task<void> Connection::AwaitAcknowledgements(TimePoint deadline) {
  acknowledgements_ = co_await parts_.engine.acknowledgements()->Await(
      client_.awaited_offset, client_.wait->count, deadline);
}

io::Task<bool> Connection::SendOnce() {
  sends_ = true;
  Result<void> done;
  ChangeJournal& journal = parts_.engine.journal();
  // Meanwhile more replies may have been written, which wait for a later offset.
  while (done && client_.awaited_offset > journal.durable_end_offset()) {
    done = co_await journal.AwaitDurable(client_.awaited_offset);
  }
  // Messages may arrive while this is being sent.
  std::swap(client_.output, sending_);
  if (done) {
    done = co_await stream_->Write(sending_.readable(), parts_.loop.After(kWriteTimeout));
  }
  parts_.engine.statistics().written_bytes += sending_.size();
  sending_.Consume(sending_.size());
  if (sending_.capacity() > kKeptOutputBytes) sending_.ReleaseIfEmpty();
  if (client_.output.empty()) std::swap(client_.output, sending_);
  sends_ = false;
  co_return done.has_value();
}

io::Task<void> Connection::SendMessages() {
  while (!failed_) {
    if (client_.output.empty()) {
      if (!co_await messages_.Wait()) co_return;
    } else if (!co_await Send()) {
      // The fiber that reads finds the connection closed.
      stream_->Close();
      co_return;
    }
  }
}

// Closing over unread bytes would reset the connection, and take back the replies on their way.
io::Task<void> Connection::Linger() {
  if (failed_) co_return;
  stream_->ShutdownWrite();
  std::array<uint8_t, 4096> discarded;  // NOLINT: written by Read
  TimePoint until = parts_.loop.After(kLingerTimeout);
  for (size_t bytes = 0; bytes < kMaxLingerBytes;) {
    Result<size_t> got = co_await stream_->Read(discarded, until);
    if (!got || *got == 0) co_return;
    bytes += *got;
  }
}

}  // namespace meridian::session
