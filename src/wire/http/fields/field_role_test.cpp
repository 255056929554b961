#include "wire/http/fields/field_role.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "wire/http/chunked.hpp"
#include "wire/http/fields/trace_context.hpp"

namespace meridian::wire::http {
namespace {

constexpr SenderTrust kVisitor = {};
constexpr SenderTrust kLax = {.underscores = true};
constexpr SenderTrust kEdge = {.is_edge = true, .underscores = true};

TEST(FieldRole, LookAlikesOfOurFieldsPoisonedTheCacheAndSpoofedTheVisitor) {
  for (std::string_view name :
       {"X_Forwarded_For", "x__forwarded-for", "X-_Forwarded-For", "X-Forwarded_HOST",
        "X_FORWARDED_PROTO", "X--Forwarded-For", "X.Forwarded.For", "X-Forwarded-For-", "_Host",
        "Content_Length", "Transfer_Encoding", "Cache_Control", "Accept_Encoding", "Via_",
        "Meridian_Debug", "Authori_zation_"}) {
    const bool harmless = name == "Authori_zation_";
    EXPECT_EQ(PassesOn(name, kLax), harmless) << name;
    EXPECT_EQ(PassesOn(name, kEdge), harmless) << name;
    EXPECT_FALSE(PassesOn(name, kVisitor)) << name;
  }
}

TEST(FieldRole, NamesWithUnderscoresAreDroppedUnlessTheyMayPass) {
  EXPECT_FALSE(PassesOn("Api_Key", kVisitor));
  EXPECT_TRUE(PassesOn("Api_Key", kLax));
  EXPECT_TRUE(PassesOn("Api-Key", kVisitor));
}

TEST(FieldRole, FieldsOfSchemeHostPathMethodOrAddressAreNotForwarded) {
  for (std::string_view name :
       {"X-Original-URL",
        "X-Rewrite-URL",
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
        "X-Forwarded-Prefix",
        "X-Forwarded-Path",
        "X-Forwarded-Server",
        "X-Forwarded-Port",
        "X-Forwarded-Scheme",
        "X-Forwarded-Ssl",
        "Front-End-Https",
        "X-Url-Scheme",
        "X-Envoy-Original-Path",
        "X-Envoy-External-Address",
        "X-Host",
        "X-Original-Host",
        "X-ProxyUser-Ip",
        "Proxy",
        "Forwarded",
        "True-Client-IP",
        "X-Client-IP",
        "X-Real-IP",
        "CF-Connecting-IP",
        "Fastly-Client-IP",
        "X-Cluster-Client-IP",
        "Client-IP",
        "X-Forwarded-Anything-That-Is-Longer-Than-Every-Name-In-The-Table"}) {
    for (SenderTrust sender : {kVisitor, kLax, kEdge}) EXPECT_FALSE(PassesOn(name, sender)) << name;
    EXPECT_FALSE(AllowedInTrailers(name)) << name;
  }
}

TEST(FieldRole, FieldsThatEdgesSetAreTrustedFromEdgesOnly) {
  for (std::string_view name :
       {kForwardedFor, kForwardedHost, kForwardedProto, std::string_view("Meridian-Debug"),
        std::string_view("x-forwarded-for"), kRequestIdField, kTraceParentField,
        kTraceStateField}) {
    EXPECT_FALSE(PassesOn(name, kLax)) << name;
    EXPECT_TRUE(PassesOn(name, kEdge)) << name;
  }
}

TEST(FieldRole, OrdinaryFieldsPass) {
  for (std::string_view name :
       {"Accept", "Accept-Encoding", "Authorization", "Cookie", "User-Agent", "Range", "Via",
        "If-None-Match", "Sec-Fetch-Mode", "X-Request", "X-Requested-With", "X", "-", "!",
        "X-Forward", "Meridian", "A-Name-That-Is-Longer-Than-Every-Name-In-The-Table"}) {
    EXPECT_TRUE(PassesOn(name, kVisitor)) << name;
  }
}

TEST(FieldRole, LookAlikesInTrailersReachedTheApplication) {
  for (std::string_view name : {"X_Forwarded_For", "Content_Length", "X-Original-URL", "Host_"}) {
    EXPECT_FALSE(AllowedInTrailers(name)) << name;
  }
  EXPECT_TRUE(AllowedInTrailers("Checksum"));
}

TEST(FieldRole, NamesLookAlikeWhateverSeparatesTheirWords) {
  EXPECT_TRUE(LooksLike("X-Device", "x__device"));
  EXPECT_TRUE(LooksLike("X-Device", "-X.Device_"));
  EXPECT_FALSE(LooksLike("X-Device", "XDevice"));
  EXPECT_FALSE(LooksLike("X-Device", "X-Devices"));
  EXPECT_FALSE(LooksLike("X-Device", "X-Dev"));
}

TEST(FieldRole, ALookAlikeWithAnyNumberOfSeparatorsIsOne) {
  const std::string name =
      "X" + std::string(1000, '_') + "Forwarded" + std::string(1000, '-') + "For";
  EXPECT_EQ(RoleOf(name), FieldRole::kSet);
}

}  // namespace
}  // namespace meridian::wire::http
