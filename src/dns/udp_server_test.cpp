#include "dns/udp_server.hpp"

#include <gtest/gtest.h>

#include "base/metrics_text.hpp"
#include "dns/photos_site.hpp"
#include "io/net/socket.hpp"

namespace meridian::dns {
namespace {

const Endpoint kAnyPort{IpAddress::V4(127, 0, 0, 1), 0};

class UdpServerTest : public testing::Test {
 protected:
  UdpServerTest() {
    io::Fd socket = io::OpenDatagramSocket(kAnyPort, false).value();
    at_ = io::LocalEndpoint(socket.get());
    server_ = std::make_unique<UdpServer>(std::move(socket), snapshots_, 0, answers_);
  }

  // The response to `message`.
  std::vector<uint8_t> Exchange(const std::vector<uint8_t>& message) {
    auto run = [&]() -> io::Task<std::vector<uint8_t>> {
      auto socket = network_.Bind(kAnyPort).value();
      EXPECT_TRUE(socket->Send(message, at_));
      std::vector<uint8_t> answer(wire::dns::kMaxUdpResponseBytes);
      auto received = co_await socket->Receive(answer, loop_.After(std::chrono::seconds{10}));
      EXPECT_TRUE(received);
      answer.resize(received ? received->bytes : 0);
      co_return answer;
    };
    return loop_.RunToEnd(run());
  }

  io::EpollDriver driver_;
  io::Loop loop_{driver_};
  io::SystemNetwork network_{driver_};
  Metrics metrics_;
  AnswerMetrics answers_{metrics_, {"us-east", "us-west"}};
  Published<Snapshot> snapshots_{1, std::make_unique<const Snapshot>(Photos())};
  Endpoint at_;
  std::unique_ptr<UdpServer> server_;
};

TEST_F(UdpServerTest, AnswersFromTheNewestSnapshot) {
  std::vector<uint8_t> query = MessageOf({.name = "us-east.photos.example"});
  Result<wire::dns::Response> response = wire::dns::DecodeResponse(Exchange(query));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->answers.at(0).data, wire::dns::RecordData(IpAddress::V4(127, 1, 0, 1)));

  ZoneOptions moved = PhotosZone();
  moved.data_centers[0].addresses = {IpAddress::V4(192, 0, 2, 1)};
  snapshots_.Publish(std::make_unique<const Snapshot>(Photos({.zone = moved})));
  response = wire::dns::DecodeResponse(Exchange(query));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->answers.at(0).data, wire::dns::RecordData(IpAddress::V4(192, 0, 2, 1)));
}

TEST_F(UdpServerTest, WhatIsNoQueryIsMetWithSilenceAndTheNextIsAnswered) {
  auto run = [&]() -> io::Task<void> {
    auto socket = network_.Bind(kAnyPort).value();
    std::vector<uint8_t> response_bit = MessageOf({.name = "photos.example"});
    response_bit[2] |= 0x80;
    std::vector<uint8_t> query = MessageOf({.name = "photos.example"});
    query[1] = 0x77;
    EXPECT_TRUE(socket->Send(response_bit, at_));
    EXPECT_TRUE(socket->Send(AsBytes("x"), at_));
    EXPECT_TRUE(socket->Send(std::vector<uint8_t>(5000), at_));  // longer than a query may be
    EXPECT_TRUE(socket->Send(query, at_));
    std::vector<uint8_t> answer(wire::dns::kMaxUdpResponseBytes);
    auto received = co_await socket->Receive(answer, loop_.After(std::chrono::seconds{10}));
    EXPECT_TRUE(received);
    EXPECT_EQ(answer[1], 0x77);
  };
  loop_.RunToEnd(run());
  server_.reset();
  EXPECT_NE(MetricsText(metrics_).find(
                R"(meridian_dns_queries_total{transport="udp",result="dropped"} 3)"),
            std::string::npos)
      << MetricsText(metrics_);
}

TEST_F(UdpServerTest, CountsWhatItAnswered) {
  Exchange(MessageOf({.name = "photos.example"}));
  Exchange(MessageOf({.name = "nowhere.photos.example"}));
  server_.reset();
  std::string text = MetricsText(metrics_);
  for (const char* series : {R"(meridian_dns_queries_total{transport="udp",result="answer"} 1)",
                             R"(meridian_dns_queries_total{transport="udp",result="nxdomain"} 1)",
                             R"(meridian_dns_queries_total{transport="tcp",result="answer"} 0)",
                             R"(meridian_dns_truncated_total{transport="udp"} 0)",
                             R"(meridian_dns_query_duration_seconds_count{transport="udp"} 2)",
                             R"(meridian_dns_query_duration_seconds_count{transport="tcp"} 0)"}) {
    EXPECT_NE(text.find(series), std::string::npos) << series << "\n" << text;
  }
}

}  // namespace
}  // namespace meridian::dns
