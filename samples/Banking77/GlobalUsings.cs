global using Hone;
global using SampleCommon;
