(a,t,{ad_storage:r,analytics_storage:c})=>{a.clarity??=function(){(a.clarity.q??=[]).push(arguments)},a.clarity("consentv2",{ad_Storage:r,analytics_Storage:c})}
