global using Hone;
global using Hone.Engine;
global using MultiHopResearch;
global using SampleCommon;
