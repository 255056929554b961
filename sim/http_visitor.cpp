#include "sim/http_visitor.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/client/client.hpp"
#include "http/client/client_exchange.hpp"
#include "io/sim/process.hpp"
#include "io/sim/world.hpp"
#include "io/task.hpp"
#include "sim/http_plan.hpp"
#include "wire/http/message.hpp"

namespace meridian::sim {
namespace {

constexpr size_t kPartBytes = 4096;
// A wait that reached its deadline may end one loop iteration later.
constexpr Duration kTolerance = std::chrono::milliseconds{10};

struct Answer {
  int status = 0;
  std::string id;
  std::string body;
};

// The response may arrive before the upload ends, and then ends it, so a failure here is no error.
io::Task<void> Upload(http::ClientExchange& exchange, std::string_view body) {
  while (body.size() > kPartBytes) {
    if (!co_await exchange.Write(AsBytes(body.substr(0, kPartBytes)))) co_return;
    body.remove_prefix(kPartBytes);
  }
  (void)co_await exchange.Finish(AsBytes(body), {});
}

io::Task<Result<Answer>> Ask(http::Client& client, const Plan& plan) {
  using Kind = wire::http::BodyFraming::Kind;
  std::string path = Plans::PathOf(plan);
  std::string upload = RequestBody(plan);
  http::Request request{.method = plan.method, .path = path, .host = "photos.example"};
  if (!upload.empty()) request.body = {Kind::kContentLength, upload.size()};
  if (!plan.streamed) request.content = AsBytes(upload);
  http::Sent sent = co_await client.Send(request);
  if (!sent) co_return Fail(std::move(sent.error().error));
  if (plan.streamed && !upload.empty()) co_await Upload(*sent, upload);
  do {
    auto head = co_await sent->ReadHead();
    if (!head) co_return Fail(std::move(head.error()));
  } while (sent->head().is_interim());
  Answer answer{.status = sent->head().status,
                .id = std::string(sent->head().fields.Find(kIdField).value_or("")),
                .body = {}};
  if (sent->head().body.kind == Kind::kUntilClose) {
    co_return Fail(Errc::kInvalid,
                   "the end of the connection ends the body, so a cut is not visible");
  }
  for (;;) {
    Result<Bytes> data = co_await sent->ReadBody();
    if (!data) co_return Fail(std::move(data.error()));
    if (data->empty()) co_return answer;
    answer.body += AsText(*data);
  }
}

}  // namespace

io::Task<void> Visit(io::sim::World& world, io::sim::Machine& machine, http::Client& client,
                     Plan& plan, VisitorTally& tally) {
  TimePoint deadline = machine.loop.After(kVisitorTimeout);
  Result<Answer> answer = co_await io::Within(deadline, Ask(client, plan));
  if (machine.loop.Now() > deadline + kTolerance) {
    world.Fail(fmt::format("request {} ended after its deadline", plan.id));
  }
  world.Record(machine.process.name(), answer ? "answer" : "no answer", plan.id,
               answer ? static_cast<uint64_t>(answer->status) : 0);
  if (!answer) {
    ++tally.failed;
  } else if (answer->status != 200) {
    ++tally.refused;
  } else {
    ++tally.answered;
    if (answer->id != fmt::format("{}", plan.id)) {
      world.Fail(fmt::format("request {} got the answer to request {}", plan.id, answer->id));
    } else if (answer->body != ResponseBody(plan)) {
      world.Fail(
          fmt::format("the answer to request {} looks whole, but has {} bytes of {} or "
                      "others",
                      plan.id, answer->body.size(), plan.response_bytes));
    }
  }
}

}  // namespace meridian::sim
